import { Injectable } from '@nestjs/common';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { addressBlockOf } from './address-block.js';

/** Most keys from one IPv4 address or IPv6 /64 that are looked up at a time; further ones wait. */
const AT_A_TIME = 50;

/** How long one waits at most, milliseconds. It takes that long only while the database does not answer. */
const MAX_WAIT_MS = 5_000;

interface Block {
  underWay: number;
  /** First the one that came first. */
  readonly waiting: (() => void)[];
}

/**
 * Shares out the lookups of keys that have not been seen before. The proxy has a bound on lookups under way and refuses
 * further ones; one client with made-up keys must not be able to use all of them.
 */
@Injectable()
export class LookupTurns {
  private readonly blocks = new Map<string, Block>();

  /**
   * Runs `look` when it is the client's turn.
   *
   * @param address IP address of the client
   * @throws DirectoryUnavailableError when the wait is too long; whatever `look` throws
   */
  async take<Found>(address: string, look: () => Found | Promise<Found>): Promise<Found> {
    const name = addressBlockOf(address);
    const block = this.blocks.get(name) ?? { underWay: 0, waiting: [] };
    this.blocks.set(name, block);
    if (block.underWay < AT_A_TIME) block.underWay += 1;
    // a lookup that ends hands its place on
    else await turnOf(block);
    try {
      return await look();
    } finally {
      // the latest one first, so that a single request does not wait behind a flood
      const next = block.waiting.pop();
      if (next !== undefined) next();
      else if ((block.underWay -= 1) === 0) this.blocks.delete(name);
    }
  }
}

function turnOf(block: Block): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      // all wait for the same time, so this is the oldest one
      block.waiting.shift();
      reject(new DirectoryUnavailableError(new Error('too many lookups of one client are waiting')));
    }, MAX_WAIT_MS);
    block.waiting.push(begin);
  });
}
