import { LimitExceededError } from '../../sandbox-proxy/index.js';

/** Exchanges under way at a time. Each holds a connection, and those of one link wait for the lock of its row. */
const AT_A_TIME = 2;
/** Most exchanges that wait: of one link, and of all together. */
const MAX_OF_LINK = 200;
const MAX_WAITING = 1_000;
/** How long one waits at most, milliseconds. It takes that long only while the database hardly answers. */
const PATIENCE_MS = 5_000;

/**
 * Makes exchanges of links for sessions a few at a time, with a turn for each link, so that the guests of one link neither
 * take the connections to the database that everybody needs, nor keep the guests of other links waiting.
 */
export class LinkTurns {
  private underWay = 0;
  private waiting = 0;
  /** By id of the link, in the order of their turns; no line is empty. Of each line the oldest first. */
  private readonly lines = new Map<string, (() => void)[]>();

  /**
   * Runs `exchange` when it is the link's turn.
   *
   * @throws LimitExceededError when too many wait, or it has waited too long; whatever `exchange` throws
   */
  async take<Result>(linkId: string, exchange: () => Promise<Result>): Promise<Result> {
    // whoever ends hands its place on
    if (this.underWay < AT_A_TIME) this.underWay += 1;
    else await this.turnOf(linkId);
    try {
      return await exchange();
    } finally {
      this.handOn();
    }
  }

  private turnOf(linkId: string): Promise<void> {
    const line = this.lines.get(linkId) ?? [];
    if (line.length >= MAX_OF_LINK || this.waiting >= MAX_WAITING) throw tooMany();
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        this.leave(linkId, line, go);
        reject(tooMany());
      }, PATIENCE_MS);
      const go = (): void => {
        clearTimeout(patience);
        resolve();
      };
      line.push(go);
      this.lines.set(linkId, line);
      this.waiting += 1;
    });
  }

  private handOn(): void {
    const [first] = this.lines;
    if (first === undefined) {
      this.underWay -= 1;
      return;
    }
    const [linkId, line] = first;
    const [go] = line as [() => void];
    // to the end of the order
    this.lines.delete(linkId);
    this.lines.set(linkId, line);
    this.leave(linkId, line, go);
    go();
  }

  private leave(linkId: string, line: (() => void)[], go: () => void): void {
    line.splice(line.indexOf(go), 1);
    this.waiting -= 1;
    if (line.length === 0) this.lines.delete(linkId);
  }
}

function tooMany(): LimitExceededError {
  return new LimitExceededError('too many visitors open preview links at the moment; try again shortly');
}
