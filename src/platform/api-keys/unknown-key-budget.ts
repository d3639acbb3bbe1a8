import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { addressBlockOf } from './address-block.js';

/** How many unknown keys are answered 401: at once, and per second from then on. */
const BURST = 200;
const PER_SECOND = 10;
/** Most address blocks remembered at a time. */
const MAX_BLOCKS = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

/**
 * Bounds how many unknown keys may come from one IPv4 address or IPv6 /64. Only a key that was looked up and does not exist
 * costs anything. A valid key is let in whatever has come from its address before.
 */
@Injectable()
export class UnknownKeyBudget {
  private readonly buckets = new LRUCache<string, Bucket>({ max: MAX_BLOCKS });

  /** @param address IP address @returns false if the budget is used up */
  spend(address: string, nowMs: number = performance.now()): boolean {
    const block = addressBlockOf(address);
    const { left, atMs } = this.buckets.get(block) ?? { left: BURST, atMs: nowMs };
    const refilled = Math.min(BURST, left + ((nowMs - atMs) * PER_SECOND) / 1_000);
    const isPaid = refilled >= 1;
    this.buckets.set(block, { left: isPaid ? refilled - 1 : refilled, atMs: nowMs });
    return isPaid;
  }
}
