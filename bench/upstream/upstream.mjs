// The upstream for machines without Go: the same routes as go/main.go, on raw sockets.
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { RequestReader } from './request-reader.mjs';

const SMALL = Buffer.from(`${'sandbox '.repeat(12)}end\n`);
const MEBIBYTE = Buffer.alloc(1 << 20, '0123456789abcdef');
const MANY_HEADERS = Array.from(
  { length: 28 },
  (_, i) =>
    `X-App-Header-${String(i).padStart(2, '0')}: value-of-app-header-${String(i).padStart(2, '0')}\r\n`,
).join('');
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const ANSWERS = {
  '/': response('text/plain', '', SMALL),
  '/headers': response('text/plain', MANY_HEADERS, SMALL),
  '/1m': response('application/octet-stream', '', MEBIBYTE),
};
const MISSING = Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');

function response(type, extra, body) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${extra}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function serve(socket) {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  const reader = new RequestReader((request) => answer(socket, reader, request));
  socket.on('data', (chunk) => reader.push(chunk));
}

function answer(socket, reader, { path, query, length, websocketKey }) {
  const inner = /^\/proxy\/cl-[^/]*\/[^/]*(\/.*)$/.exec(path)?.[1];
  if (inner === '/echo') socket.write(response('text/plain', '', Buffer.from(String(length))));
  else if (inner === '/stream') stream(socket, Number(query));
  else if (inner === '/sse') sendEvents(socket, Number(query));
  else if (inner === '/ws') echo(socket, reader, websocketKey);
  else socket.write(ANSWERS[inner] ?? MISSING);
}

function stream(socket, size) {
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`,
  );
  let left = size;
  const write = () => {
    while (left > 0) {
      const part = MEBIBYTE.subarray(0, Math.min(left, 1 << 18));
      left -= part.length;
      if (!socket.write(part) && left > 0) {
        socket.once('drain', write);
        return;
      }
    }
  };
  write();
}

function sendEvents(socket, intervalMs) {
  socket.write(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const timer = setInterval(
    () => {
      const event = `data: ${Math.round((performance.timeOrigin + performance.now()) * 1000)}\n\n`;
      socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
    },
    Math.max(intervalMs, 1),
  );
  socket.once('close', () => clearInterval(timer));
}

/** Echoes masked frames of up to 125 bytes until the connection ends. */
function echo(socket, reader, key) {
  const accept = createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  const consume = (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 6) {
      const size = rest[1] & 0x7f;
      if (size > 125) {
        socket.destroy();
        return;
      }
      if (rest.length < 6 + size) return;
      const frame = Buffer.allocUnsafe(2 + size);
      frame[0] = rest[0];
      frame[1] = size;
      for (let i = 0; i < size; i += 1) frame[2 + i] = rest[6 + i] ^ rest[2 + (i & 3)];
      socket.write(frame);
      rest = rest.subarray(6 + size);
    }
  };
  reader.handOver(consume);
}

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), '127.0.0.1', 16_384);
