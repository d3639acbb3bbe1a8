/** A value that is there, or will be: the warm path stays synchronous and costs no promise. */
export type MaybePromise<T> = T | Promise<T>;

/** Continues with the value: at once where it is there, later where it is a promise. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  proceed: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(proceed) : proceed(value);
}
