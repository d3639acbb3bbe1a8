import { STAFF_PASSWORD } from './app-process.js';

/** What is sent on one connection of its own, and the first line of what an application without the module says. */
export interface OwnRouteCase {
  readonly bytes: string;
  readonly express: string;
  readonly fastify: string;
}

const STAFF = `Host: machines.test\r\nX-Staff-Password: ${STAFF_PASSWORD}\r\n`;
const JSON_TYPE = 'Content-Type: application/json\r\n';
/** Ends the connection, so that all that came before it has been said. */
const LAST = `GET /api/machines HTTP/1.1\r\n${STAFF}Connection: close\r\n\r\n`;
const LIMIT = 10 * 1024;

function post(body: string, fields = JSON_TYPE): string {
  return `POST /api/machines HTTP/1.1\r\n${STAFF}${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** `{ owner, agent }` as exactly so many bytes of JSON. */
function machineOf(bytes: number): string {
  const empty = JSON.stringify({ owner: '', agent: 'a:1' });
  return JSON.stringify({ owner: 'o'.repeat(bytes - empty.length), agent: 'a:1' });
}

/** A client's frame of a WebSocket; its mask is zero. */
function frame(opcode: number, payload: string): string {
  return `${String.fromCharCode(0x80 | opcode, 0x80 | payload.length)}\0\0\0\0${payload}`;
}

function webSocket(path: string, fields = ''): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: machines.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`
  );
}

function same(line: string, bytes: string): OwnRouteCase {
  return { bytes, express: line, fastify: line };
}

const OK = 'HTTP/1.1 200 OK';
const CREATED = 'HTTP/1.1 201 Created';
const NO_CONTENT = 'HTTP/1.1 204 No Content';
const BAD = 'HTTP/1.1 400 Bad Request';
const NOT_FOUND = 'HTTP/1.1 404 Not Found';
const TOO_LARGE = 'HTTP/1.1 413 Payload Too Large';
const HEAD_TOO_LARGE = 'HTTP/1.1 431 Request Header Fields Too Large';

/** Everything that an application's own server says to a client of its own. */
export const OWN_ROUTE_CASES: Readonly<Record<string, OwnRouteCase>> = {
  'a GET': same(OK, `GET /api/machines HTTP/1.1\r\n${STAFF}\r\n${LAST}`),
  'three pipelined GETs': same(OK, `GET /api/machines HTTP/1.1\r\n${STAFF}\r\n`.repeat(3) + LAST),
  'a HEAD': same(OK, `HEAD /api/machines HTTP/1.1\r\n${STAFF}\r\n${LAST}`),
  'a conditional GET': {
    bytes: `GET /api/machines HTTP/1.1\r\n${STAFF}If-None-Match: W/"2-l9Fw4VUO7kr8CvBlt4zaMCqXZ0w"\r\n\r\n${LAST}`,
    express: 'HTTP/1.1 304 Not Modified',
    fastify: OK,
  },
  'an HTTP/1.0 GET without Host': same(
    OK,
    `GET /api/machines HTTP/1.0\r\nX-Staff-Password: ${STAFF_PASSWORD}\r\n\r\n`,
  ),
  'an HTTP/1.1 GET without Host': same(BAD, `GET /api/machines HTTP/1.1\r\n\r\n${LAST}`),
  'two Host headers': same(OK, `GET /api/machines HTTP/1.1\r\nHost: a\r\n${STAFF}\r\n${LAST}`),
  'a target in absolute form': same(
    OK,
    `GET http://machines.test/api/machines HTTP/1.1\r\n${STAFF}\r\n${LAST}`,
  ),
  'a host name of another form of ids': same(
    NOT_FOUND,
    `GET / HTTP/1.1\r\nHost: 3000-cl-0000000000000000000000000.sandboxes.test\r\n\r\n${LAST}`,
  ),
  "a sandbox's name under another domain": same(
    NOT_FOUND,
    `GET / HTTP/1.1\r\nHost: 3000-vm-0123456789ab.machines.test\r\n\r\n${LAST}`,
  ),
  'a route that is not there': same(NOT_FOUND, `GET /nowhere HTTP/1.1\r\n${STAFF}\r\n${LAST}`),
  'routes of a control plane': same(
    NOT_FOUND,
    `POST /v1/api-keys HTTP/1.1\r\n${STAFF}Content-Length: 0\r\n\r\nGET /healthz HTTP/1.1\r\n${STAFF}\r\n${LAST}`,
  ),
  'a target that is no path': same(BAD, `GET /api/machines/%zz HTTP/1.1\r\n${STAFF}\r\n${LAST}`),
  'a request that the guard refuses': same(
    'HTTP/1.1 403 Forbidden',
    `GET /api/machines HTTP/1.1\r\nHost: machines.test\r\nX-API-Key: machines-0123456789abcdef0123456789abcdef\r\n\r\n${LAST}`,
  ),
  'a preflight': same(
    NO_CONTENT,
    `OPTIONS /api/machines HTTP/1.1\r\nHost: machines.test\r\nOrigin: https://console.example.com\r\n` +
      `Access-Control-Request-Method: PATCH\r\nAccess-Control-Request-Headers: x-staff-password\r\n\r\n${LAST}`,
  ),
  'a request of another origin': same(
    OK,
    `GET /api/machines HTTP/1.1\r\n${STAFF}Origin: https://console.example.com\r\n\r\n${LAST}`,
  ),
  'a POST': same(CREATED, post(machineOf(100)) + LAST),
  'a chunked POST': same(
    CREATED,
    `POST /api/machines HTTP/1.1\r\n${STAFF}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n` +
      `64\r\n${machineOf(100)}\r\n0\r\nX-Trailer: yes\r\n\r\n${LAST}`,
  ),
  'a body as large as the limit': same(CREATED, post(machineOf(LIMIT)) + LAST),
  'a body beyond the limit': {
    bytes: post(machineOf(LIMIT + 1)) + LAST,
    express: TOO_LARGE,
    fastify: TOO_LARGE,
  },
  'a body that is no JSON': same(BAD, post('{"owner":') + LAST),
  'a body of another type': {
    bytes: post('<machine/>', 'Content-Type: text/xml\r\n') + LAST,
    express: 'HTTP/1.1 500 Internal Server Error',
    fastify: 'HTTP/1.1 415 Unsupported Media Type',
  },
  'a route that fails': same(
    'HTTP/1.1 500 Internal Server Error',
    `PATCH /api/machines/vm-0 HTTP/1.1\r\n${STAFF}Content-Length: 0\r\n\r\n${LAST}`,
  ),
  'Expect: 100-continue': same(
    'HTTP/1.1 100 Continue',
    post(machineOf(100), `${JSON_TYPE}Expect: 100-continue\r\n`) + LAST,
  ),
  'Expect: something else': same(
    'HTTP/1.1 417 Expectation Failed',
    `GET /api/machines HTTP/1.1\r\n${STAFF}Expect: the-unexpected\r\n\r\n${LAST}`,
  ),
  'more headers than Node reads by default': same(
    OK,
    `GET /api/machines HTTP/1.1\r\n${STAFF}${'a:\r\n'.repeat(2_500)}\r\n${LAST}`,
  ),
  'a head beyond the limit': same(
    HEAD_TOO_LARGE,
    `GET /api/machines HTTP/1.1\r\n${STAFF}X-Long: ${'x'.repeat(20_000)}\r\n\r\n${LAST}`,
  ),
  'a request line that is none': same(BAD, 'HELLO\r\n\r\n'),
  'a WebSocket of its gateway': same(
    'HTTP/1.1 101 Switching Protocols',
    webSocket('/news') + frame(1, '{"event":"ask","data":1}') + frame(8, '\x03\xe8'),
  ),
  'a WebSocket of its gateway, with a password': same(
    'HTTP/1.1 101 Switching Protocols',
    webSocket('/news', `X-Staff-Password: ${STAFF_PASSWORD}\r\n`) + frame(9, 'ping') + frame(8, '\x03\xe8'),
  ),
  'a WebSocket that no gateway knows': same('', webSocket('/elsewhere')),
  'a WebSocket that is none': same(BAD, webSocket('/news').replace('Version: 13', 'Version: 7')),
  'an upgrade to something else': same(
    '',
    `GET /api/machines HTTP/1.1\r\n${STAFF}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n${LAST}`,
  ),
  'a CONNECT': same('', `CONNECT machines.test:443 HTTP/1.1\r\n${STAFF}\r\n`),
};

/**
 * Without anybody who listens for upgrades Node ignores that one is asked for, and closes on CONNECT. Nothing follows on
 * these connections: Node 20 by itself would never read it.
 */
export const NO_GATEWAY_CASES: Readonly<Record<string, OwnRouteCase>> = {
  'a WebSocket': same(NOT_FOUND, webSocket('/news')),
  'a WebSocket on a route': same(OK, webSocket('/api/machines', `X-Staff-Password: ${STAFF_PASSWORD}\r\n`)),
  'an upgrade to something else': same(
    OK,
    `GET /api/machines HTTP/1.1\r\n${STAFF}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`,
  ),
  'an upgrade with a body': same(
    CREATED,
    post(machineOf(100), `${JSON_TYPE}Connection: Upgrade\r\nUpgrade: h2c\r\n`),
  ),
  'a chunked upgrade behind another request': same(
    OK,
    `GET /api/machines HTTP/1.1\r\n${STAFF}\r\n` +
      `POST /api/machines HTTP/1.1\r\n${STAFF}${JSON_TYPE}Connection: Upgrade\r\nUpgrade: h2c\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n64\r\n${machineOf(100)}\r\n0\r\n\r\n`,
  ),
  'an upgrade with a body beyond the limit': same(
    TOO_LARGE,
    post(machineOf(LIMIT + 1), `${JSON_TYPE}Connection: Upgrade\r\nUpgrade: websocket\r\n`),
  ),
  'an upgrade that expects 100-continue': same(
    'HTTP/1.1 100 Continue',
    post(machineOf(100), `${JSON_TYPE}Expect: 100-continue\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n`),
  ),
  'a CONNECT': same('', `CONNECT machines.test:443 HTTP/1.1\r\n${STAFF}\r\n`),
};

/** A request whose body, and one whose head, never comes to its end. */
export const SLOW_BODY = `POST /api/machines HTTP/1.1\r\n${STAFF}${JSON_TYPE}Content-Length: 10\r\n\r\n{`;
export const SLOW_HEAD = `GET /api/machines HTTP/1.1\r\n${STAFF}`;
export const KEPT_ALIVE = `GET /api/machines HTTP/1.1\r\n${STAFF}\r\n`;
