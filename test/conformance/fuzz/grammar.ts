import type { Random } from '../../kit/random.js';

/** Tokens of the right form; one of a link in the query, where it belongs, too. */
const LINK = `wrl_${'0'.repeat(25)}${'A'.repeat(43)}`;
const SESSION = `wrs_${'0'.repeat(25)}${'B'.repeat(43)}`;
const QUERIES = [
  '?',
  '?x=1',
  `?sandbox_link=${LINK}`,
  `?a&sandbox%5flink=${LINK}&b`,
  `?%73andbox_link=${LINK}#`,
];

const METHODS = 'GET GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND CONNECT TRACE get X'.split(' ');
const SEGMENTS = [
  'a',
  '..',
  '.',
  '%2e%2e',
  '%2E.',
  '%2f',
  '%5c',
  '\\',
  '',
  ';',
  '%00',
  '@',
  ':80',
  'cl-0000000000000000000000001',
  '\xff',
  '%',
  '#',
  '*',
  '?x=/../y',
  'proxy',
];
const LINES = [
  'Connection: close',
  'Connection: keep-alive',
  'Connection: X-Foo, Host, X-Forwarded-For',
  'Connection:',
  'X-Foo: 1',
  'TE: trailers, gzip',
  'TE: gzip',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Connection: Upgrade',
  'Expect: 100-continue',
  'Expect: x',
  'X-Forwarded-For: 6.6.6.6',
  'X-Sandbox-Error: proxy;x',
  'Cookie: a=1; sandbox_session=s',
  'X-L: caf\xe9',
  'X-Empty:',
  ' folded',
  'X-Nul: a\0b',
  'X-Cr: a\rb',
  'X-Lf: a\nX-B: 2',
  'X Bad: 1',
  'X-Sp : 1',
  ': 1',
  'Trailer: X-T',
  'Host: evil.test',
  'Transfer_Encoding: chunked',
  'Content-Length: 3',
  'Content-Length: 5',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'X-Request-Id: 1',
  `Cookie: sandbox_session=${SESSION}; a=1`,
  `Cookie: b=2; __Host-sandbox_session=${SESSION}`,
  `Referer: http://a.test/?sandbox_link=${LINK}`,
  `X-Api-Key: ${LINK}`,
  'Origin: https://evil.test',
  'Access-Control-Request-Method: PUT',
] as const;
const BODIES = [
  '',
  '',
  'abc',
  'hello',
  '3\r\nabc\r\n0\r\n\r\n',
  '3;x=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
  '0\r\n\r\n',
  '3\r\nabc\r\n',
  'zz\r\n',
  '3\nabc\n0\n\n',
  '5\r\nabc\r\n0\r\n\r\n',
  'GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n',
];
const SPLICES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  '\x7f',
  '\xff',
  '0',
  'HTTP/1.1',
  '\r\n\r\n',
  'GET / HTTP/1.1\r\n',
  ',',
  ';',
];

/** A request for `host`, well formed or nearly so, then mutated at a few places. */
export function requestBytes(random: Random, host: string, key: string): string {
  const path = `/${Array.from({ length: random.below(6) }, () => random.pick(SEGMENTS)).join('/')}`;
  const target = random.chance(25) ? path + random.pick(QUERIES) : path;
  const lines = [`Host: ${host}`, `X-API-Key: ${key}`, ...random.some(LINES, 5)];
  if (random.chance(30)) lines.push('Connection: Upgrade', 'Upgrade: websocket');
  if (random.chance(20)) lines.push(`x-api-KEY: ${key}`);
  let wire = `${random.pick(METHODS)} ${target} ${random.chance(95) ? 'HTTP/1.1' : random.pick(['HTTP/1.0', 'HTTP/2.0', '', 'HTTP/1.2'])}\r\n${lines.join('\r\n')}\r\n\r\n`;
  const body = random.pick(BODIES);
  if (random.chance(40))
    wire = wire.replace(
      '\r\n\r\n',
      body.includes('\r\n')
        ? '\r\nTransfer-Encoding: chunked\r\n\r\n'
        : `\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
  wire += body;
  return mutated(random, wire, 30);
}

const STATUSES =
  '200 OK|204 No|304 Not|404 No|500 Err|503 No|100 Continue|101 S|103 E|099 X|999 X|abc|20|200|2000 X'.split(
    '|',
  );
const ANSWER_LINES = [
  'Content-Length: 2',
  'Content-Length: 2',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 2, 2',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Connection: close',
  'Connection: X-Foo',
  'X-Foo: 1',
  'Set-Cookie: a=1; Domain=sandbox.test',
  'Set-Cookie: sandbox_session=x',
  'X-Sandbox-Error: proxy;x',
  'X-Sandbox-Error: agent;x',
  'Trailer: X-T',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Keep-Alive: timeout=77',
  'X-L: \xe9\xff',
  'X-C: a\x01b',
  'X-Cr: a\rSet-Cookie: evil=1',
  ' folded',
  'X Bad: 1',
  ': 1',
  'X-Sp : 1',
  'Location: /x',
  'Date: x',
];
const ANSWER_BODIES = [
  'ok',
  'ok',
  '',
  'hello',
  '2\r\nok\r\n0\r\n\r\n',
  '2\r\nok\r\n0\r\nX-T: 1\r\nSet-Cookie: t=1\r\n\r\n',
  '2;x\r\nok\r\n',
  'zz\r\n',
  '2\nok\n0\n\n',
  'okHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON',
];

/** What a sandbox might answer, well formed or nearly so, then mutated at a few places. */
export function answerBytes(random: Random): string {
  let wire = '';
  for (let i = random.chance(15) ? random.below(3) : 0; i >= 0; i--) {
    const lines = random.some(ANSWER_LINES, 5);
    wire += `HTTP/1.${random.chance(92) ? 1 : 0} ${random.chance(60) ? '200 OK' : random.pick(STATUSES)}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${random.pick(ANSWER_BODIES)}`;
  }
  return mutated(random, wire, 25);
}

/** Cuts, doubles, drops or splices at one to three places, in `percent` of the calls. */
function mutated(random: Random, text: string, percent: number): string {
  let wire = text;
  if (!random.chance(percent)) return wire;
  for (let i = random.below(3); i >= 0; i--) {
    const at = random.below(wire.length + 1);
    const to = Math.min(wire.length, at + random.below(12));
    const kind = random.below(5);
    if (kind === 0) wire = wire.slice(0, at) + random.pick(SPLICES) + wire.slice(at);
    else if (kind === 1) wire = wire.slice(0, at) + wire.slice(to);
    else if (kind === 2) wire = wire.slice(0, to) + wire.slice(at);
    else if (kind === 3)
      wire = wire.slice(0, at) + String.fromCharCode(random.below(256)) + wire.slice(at + 1);
    else wire = wire.slice(0, at);
  }
  return wire;
}
