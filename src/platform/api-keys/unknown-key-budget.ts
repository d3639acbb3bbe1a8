import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { addressBlockOf } from './address-block.js';

/** Unknown keys at once, and a second from then on. */
const BURST = 200;
const PER_SECOND = 10;
/** Address blocks remembered at a time. */
const MAX_BLOCKS = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

/**
 * How many unknown keys the clients of one IPv4 address or IPv6 /64 may show. Only a key that was looked up and that
 * nobody has is paid for: a valid one is let in whatever has come from its address before.
 */
@Injectable()
export class UnknownKeyBudget {
  private readonly buckets = new LRUCache<string, Bucket>({ max: MAX_BLOCKS });

  /** @param address IP address @returns false where the budget was used up before */
  spend(address: string, nowMs: number = performance.now()): boolean {
    const block = addressBlockOf(address);
    const { left, atMs } = this.buckets.get(block) ?? { left: BURST, atMs: nowMs };
    const refilled = Math.min(BURST, left + ((nowMs - atMs) * PER_SECOND) / 1_000);
    const isPaid = refilled >= 1;
    this.buckets.set(block, { left: isPaid ? refilled - 1 : refilled, atMs: nowMs });
    return isPaid;
  }
}
