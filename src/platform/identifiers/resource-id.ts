/** The kind of thing that an id names; the prefix before the dash. */
export type ResourceKind = 'cl' | 'team' | 'key' | 'host' | 'link' | 'session';

const DIGITS = 25;
const LIMIT = 1n << 128n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BODY = /^[0-9a-z]{25}$/;

/**
 * The public form of a UUID: the kind's prefix, and the UUID's 128 bits as one base-36 number of 25 digits.
 * `encodeId('cl', '00000000-0000-0000-0000-000000000001')` -> `cl-0000000000000000000000001`.
 *
 * @throws RangeError when `uuid` is not a UUID.
 */
export function encodeId(kind: ResourceKind, uuid: string): string {
  if (!UUID.test(uuid)) throw new RangeError('not a UUID');
  return `${kind}-${BigInt(`0x${uuid.replaceAll('-', '')}`)
    .toString(36)
    .padStart(DIGITS, '0')}`;
}

/**
 * The UUID (lower case) that a public id encodes, or null if `id` is not such an encoding: another prefix, another
 * length, a character outside `0-9a-z`, or a value of 2^128 or more.
 */
export function decodeId(kind: ResourceKind, id: string): string | null {
  if (!id.startsWith(`${kind}-`)) return null;
  const body = id.slice(kind.length + 1);
  if (!BODY.test(body)) return null;
  let value = 0n;
  for (const digit of body) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  if (value >= LIMIT) return null;
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
