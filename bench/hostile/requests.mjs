import { randomBytes, randomUUID } from 'node:crypto';

/** What a client asks for besides `GET` to open a WebSocket. */
export const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

/** A request head: `head('GET /', 'localhost')`. */
export function head(line, host, lines = []) {
  return [`${line} HTTP/1.1`, `Host: ${host}`, ...lines, '\r\n'].join('\r\n');
}

/** The key of a place `{ host, key }`, as a header line. */
export function keyLine({ key }) {
  return `X-API-Key: ${key}`;
}

/** A head for a place, with its key. */
export function ownHead(line, place, lines = []) {
  return head(line, place.host, [keyLine(place), ...lines]);
}

/** A key that nobody has, in the form of one. */
export function madeUpKey() {
  return `wrn_${randomBytes(16).toString('hex')}`;
}

/** The token of a link that nobody made, in the form of one: the store has to be asked. */
export function madeUpLinkToken() {
  return `wrl_${idDigits(randomUUID())}${randomBytes(32).toString('base64url')}`;
}

/** The 128 bits of a UUID as the platform's ids have them: 25 digits of base 36. */
export function idDigits(uuid) {
  return BigInt(`0x${uuid.replaceAll('-', '')}`)
    .toString(36)
    .padStart(25, '0');
}
