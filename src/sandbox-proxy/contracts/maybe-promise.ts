/** A value, or a promise of it: where memory has the value, no promise is made. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `proceed` with the value: at once if it is there, later if it is a promise. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  proceed: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(proceed) : proceed(value);
}
