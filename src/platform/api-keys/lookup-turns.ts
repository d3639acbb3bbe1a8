import { Injectable } from '@nestjs/common';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { addressBlockOf } from './address-block.js';

/** Keys from one IPv4 address or IPv6 /64 that are looked up at a time; further ones wait for their turn. */
const AT_A_TIME = 50;

/** How long one waits for that, milliseconds: only while the database does not answer does it take as long. */
const MAX_WAIT_MS = 5_000;

interface Block {
  underWay: number;
  /** In the order of their coming. */
  readonly waiting: (() => void)[];
}

/**
 * Shares out the lookups of keys that have not been seen before: the proxy asks about so many at a time and refuses
 * what is beyond, and one client with made-up keys must not use all of that.
 */
@Injectable()
export class LookupTurns {
  private readonly blocks = new Map<string, Block>();

  /**
   * Runs `look` when it is the turn of that client.
   *
   * @param address IP address
   * @throws DirectoryUnavailableError where that takes too long; whatever `look` throws
   */
  async take<Found>(address: string, look: () => Found | Promise<Found>): Promise<Found> {
    const name = addressBlockOf(address);
    const block = this.blocks.get(name) ?? { underWay: 0, waiting: [] };
    this.blocks.set(name, block);
    if (block.underWay < AT_A_TIME) block.underWay += 1;
    // who ends hands its place on
    else await turnOf(block);
    try {
      return await look();
    } finally {
      // the last to come is first: who comes once is not behind all that a flood has left waiting
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
      // all wait as long, so it is the oldest of those that are left
      block.waiting.shift();
      reject(new DirectoryUnavailableError(new Error('too many lookups of one client are waiting')));
    }, MAX_WAIT_MS);
    block.waiting.push(begin);
  });
}
