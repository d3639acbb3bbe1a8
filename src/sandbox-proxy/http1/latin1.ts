/** Node's own method behind `toString('latin1', …)`, which looks for the encoding and the bounds first: 0.1 µs each time. */
interface Latin1Buffer extends Buffer {
  latin1Slice(start: number, end: number): string;
}

/** The bytes from `start` to `end`, which must lie within the buffer, as text: a character is a byte. */
export function latin1Text(bytes: Buffer, start: number, end: number): string {
  return (bytes as Latin1Buffer).latin1Slice(start, end);
}
