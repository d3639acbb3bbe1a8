/** How long a test waits for something to happen: many times what it takes, for machines that are slow or busy. */
export const PATIENCE_MS = 20_000;

/**
 * How soon a change must have been noticed, milliseconds: 250 by rule, which `credentials/revoked-within-250-ms` measures; the
 * rest is room for a loaded machine. Without news it takes 3 s or more.
 */
export const SOON_MS = 2_000;

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `condition` holds, looking every few milliseconds. @throws Error that names `what` */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string) = String(condition),
  withinMs = PATIENCE_MS,
): Promise<void> {
  for (const deadline = performance.now() + withinMs; !(await condition()); await pause(4))
    if (performance.now() > deadline) throw late(what, withinMs);
}

/** Waits until a count has not changed for `quietMs`, as when a writer waits for a reader; the count. */
export async function settled(count: () => number, quietMs = 500): Promise<number> {
  let [last, since] = [count(), performance.now()];
  await until(() => {
    if (count() !== last) [last, since] = [count(), performance.now()];
    return performance.now() - since > quietMs;
  }, 'a count settles');
  return last;
}

/** `promise`, or an Error that names `what` once `ms` have gone by. */
export async function within<T>(promise: Promise<T>, ms: number, what: string | (() => string)): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const clock = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(what, ms)), ms);
  });
  try {
    return await Promise.race([promise, clock]);
  } finally {
    clearTimeout(timer);
  }
}

function late(what: string | (() => string), ms: number): Error {
  return new Error(`not within ${ms} ms: ${typeof what === 'string' ? what : what()}`);
}
