import { setTimeout as sleep } from 'node:timers/promises';

/** What is added to the time that requests in progress are given: closing the data source and the like. */
export const CLOSE_MARGIN_MS = 5_000;

/** One thing to close; after `limitMs` the next one gets its turn all the same. */
interface Step {
  readonly close: () => Promise<void>;
  readonly limitMs: number;
}

/** What has been opened, to be closed in the opposite order: the application before the database it uses. */
export class Shutdown {
  private readonly steps: Step[] = [];
  private running: Promise<void> | undefined;

  add(close: () => Promise<void>, limitMs: number): void {
    this.steps.push({ close, limitMs });
  }

  /** Closes everything, once however often it is called. One failure does not keep the rest open. */
  run(): Promise<void> {
    this.running ??= this.closeAll();
    return this.running;
  }

  private async closeAll(): Promise<void> {
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      const { close, limitMs } = step;
      await Promise.race([close(), sleep(limitMs, undefined, { ref: false })]).catch((error: unknown) => {
        console.error('while stopping:', error);
      });
    }
  }
}

/** The same Ctrl-C reaches us twice under npm: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 1_000;

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first SIGINT or SIGTERM calls `end`; another one, a second or more later, exits at once.
 * An embedded PostgreSQL then goes on running; the next start ends it.
 */
export function onSignals(end: () => void): void {
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        end();
      } else if (performance.now() - firstAt >= SAME_SIGNAL_MS) {
        process.exit(EXIT_CODES[signal]);
      }
    });
  }
}
