import { pause } from './byte-stream.js';

/** Thrown by the checks below: the case failed and the message says why. */
export class CheckFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CheckFailed';
  }
}

/** Text with everything outside printable ASCII escaped, cut to a readable length. */
export function show(value: unknown, limit = 300): string {
  const text = Buffer.isBuffer(value)
    ? value.subarray(0, limit + 1).toString('latin1')
    : typeof value === 'string'
      ? value
      : (JSON.stringify(value) ?? String(value));
  const cut = text.length > limit ? `${text.slice(0, limit)}…(${text.length})` : text;
  return cut.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control bytes are what is to be made visible
    /[\x00-\x1f\x7f-\xff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CheckFailed(message);
}

export function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [plain(actual), plain(expected)];
  if (left !== right) throw new CheckFailed(`${what}: got ${show(left)}, want ${show(right)}`);
}

export function oneOf<T>(actual: T, allowed: readonly T[], what: string): void {
  if (!allowed.includes(actual))
    throw new CheckFailed(`${what}: got ${show(actual)}, want one of ${show(allowed)}`);
}

/** Waits until `condition` holds, looking every few milliseconds. */
export async function until(condition: () => boolean, what: string, withinMs = 4_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new CheckFailed(`not within ${withinMs} ms: ${what}`);
    await pause(4);
  }
}

/** `promise`, or a failed check when it takes longer than `ms`. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const clock = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CheckFailed(`not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, clock]);
  } finally {
    clearTimeout(timer);
  }
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return JSON.stringify(value) ?? String(value);
}
