import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogOutput, type Write } from './log-output.js';

const FULL = 1_048_576;
const KIB = 1_024;

/** A line of so many bytes, e.g. `a       \n`. */
const line = (text: string, bytes: number) => `${text.padEnd(bytes - 1)}\n`;
const isLossLine = (text: string) => text.startsWith('{"level":40,');

/** A place to write to whose writes the test answers. */
class Place {
  /** What has been written, write by write. */
  readonly writes: string[] = [];
  private attempt: Parameters<Write> | null = null;
  /** Told of every attempt; without it an attempt waits for `accept` or `refuse`. */
  onAttempt = (): void => undefined;

  readonly write: Write = (bytes, done) => {
    if (this.attempt !== null) throw new Error('two writes at once');
    this.attempt = [bytes, done];
    this.onAttempt();
  };

  get isTried(): boolean {
    return this.attempt !== null;
  }

  accept(most = Infinity): void {
    const [bytes, done] = this.taken();
    const written = bytes.subarray(0, Math.min(most, bytes.length));
    this.writes.push(String(written));
    done(null, written.length);
  }

  acceptAll(): void {
    while (this.isTried) this.accept();
  }

  refuse(code: string): void {
    const [, done] = this.taken();
    done(Object.assign(new Error(code), { code }), 0);
  }

  get lines(): string[] {
    return this.writes.join('').split(/(?<=\n)/);
  }

  private taken(): Parameters<Write> {
    if (this.attempt === null) throw new Error('nothing is being written');
    const { attempt } = this;
    this.attempt = null;
    return attempt;
  }
}

/** What a flush has come to so far. */
function outcome(flush: Promise<boolean>): Promise<boolean | 'waits'> {
  return Promise.race([flush, Promise.resolve().then(() => 'waits' as const)]);
}

let place: Place;
let output: LogOutput;

beforeEach(() => {
  vi.useFakeTimers();
  place = new Place();
  output = new LogOutput(place.write);
});
afterEach(() => void vi.useRealTimers());

describe('the output of the log', () => {
  it('writes one piece at a time: what has come meanwhile, up to 64 KiB', () => {
    output.write('a\n');
    for (let index = 0; index < 100; index++) output.write(line(`${index}`, KIB));
    output.writeBytes(Buffer.from('z\n'));
    place.acceptAll();
    expect(place.writes.map(({ length }) => length)).toEqual([2, 64 * KIB, 36 * KIB + 2]);
    expect(place.lines.map((text) => text.trim())).toEqual([
      'a',
      ...Array.from(Array(100).keys(), String),
      'z',
    ]);
  });

  it('goes on behind what has been written of a piece', () => {
    output.write('abc\n');
    place.accept(1);
    place.accept(2);
    place.accept();
    expect(place.writes).toEqual(['a', 'bc', '\n']);
  });

  it.each(['EAGAIN', 'ENOSPC', 'EFBIG', 'EDQUOT', 'EPIPE', 'EIO'])(
    'tries the same bytes again after %s',
    (code) => {
      output.write('abc\n');
      place.accept(1);
      output.write('def\n');
      for (let attempt = 0; attempt < 20; attempt++) {
        place.refuse(code);
        expect(place.isTried).toBe(false);
        vi.advanceTimersByTime(100);
      }
      place.acceptAll();
      expect(place.writes.join('')).toBe('abc\ndef\n');
    },
  );

  it('waits longer from one attempt in vain to the next, up to 100 ms, until one succeeds', () => {
    const pauses: number[] = [];
    output.write('ab\n');
    for (let attempt = 0; attempt < 12; attempt++) {
      if (attempt === 10) place.accept(1);
      place.refuse('EAGAIN');
      const since = Date.now();
      while (!place.isTried) vi.advanceTimersByTime(1);
      pauses.push(Date.now() - since);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 100, 1, 2]);
  });

  it('lets 1 MiB wait, loses whole lines beyond it, and says how many where they are missing', () => {
    for (let index = 0; index < 2_000; index++) output.write(line(`${index}`, KIB));
    place.refuse('ENOSPC');
    vi.advanceTimersByTime(1);
    place.acceptAll();
    output.write('later\n');
    place.acceptAll();
    const [loss = '', ...others] = place.lines.slice(FULL / KIB);
    expect(place.lines.slice(0, FULL / KIB).map((text) => text.trim())).toEqual(
      Array.from(Array(FULL / KIB).keys(), String),
    );
    expect(JSON.parse(loss)).toEqual({
      level: 40,
      time: new Date().toISOString(),
      lostLines: 976,
      msg: '976 log lines were lost',
    });
    expect(others).toEqual(['later\n']);
  });

  it('counts the lines of a batch', () => {
    output.write(line('a', FULL));
    output.writeBytes(Buffer.from('b\nc\nd\n'));
    place.acceptAll();
    expect(place.lines.at(-1)).toContain('"msg":"3 log lines were lost"');
  });

  it('tells of a loss also when nothing else is logged any more, once', () => {
    output.write(line('a', FULL));
    output.write('b\n');
    place.acceptAll();
    expect(place.lines.filter(isLossLine)).toHaveLength(1);
    expect(place.isTried).toBe(false);
  });

  it('loses lines until half of what waits is written, so that few gaps are told of', () => {
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 200; index++) output.write(line(`${index}`, KIB));
      place.accept();
    }
    place.acceptAll();
    expect(place.lines.filter(isLossLine).length).toBeLessThan(20);
    const lost = place.lines.filter(isLossLine).map((text) => Number(/\d+(?= log)/.exec(text)));
    const written = place.lines.filter((text) => text.length === KIB).length;
    expect(written + lost.reduce((sum, count) => sum + count)).toBe(20_000);
  });

  it('loses a line that is longer than all that may wait', () => {
    output.write(line('a', FULL + 1));
    expect(place.isTried).toBe(false);
    output.write('b\n');
    place.acceptAll();
    expect(place.lines.map((text) => isLossLine(text))).toEqual([true, false]);
  });
});

describe('flush', () => {
  it('waits for what was there, and for nothing that comes later', async () => {
    expect(await output.flush()).toBe(true);
    output.write('abc\n');
    const flush = output.flush();
    place.accept(3);
    expect(await outcome(flush)).toBe('waits');
    place.onAttempt = () => output.write('later\n');
    place.refuse('EAGAIN');
    vi.advanceTimersByTime(1);
    place.onAttempt = () => undefined;
    place.accept();
    expect(await outcome(flush)).toBe(true);
  });

  it.each(['ENOSPC', 'EPIPE', 'EIO'])('gives up at once on %s', async (code) => {
    output.write('a\n');
    const flush = output.flush();
    place.refuse(code);
    expect(await outcome(flush)).toBe(false);
  });

  it('gives up on a reader who reads nothing after a second', async () => {
    output.write('a\n');
    const flush = output.flush();
    place.onAttempt = () => queueMicrotask(() => place.refuse('EAGAIN'));
    place.refuse('EAGAIN');
    await vi.advanceTimersByTimeAsync(999);
    expect(await outcome(flush)).toBe('waits');
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome(flush)).toBe(false);
  });

  it('gives up on a write that never returns after a second', async () => {
    output.write('a\n');
    const flush = output.flush();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome(flush)).toBe(false);
  });
});
