import { once } from 'node:events';
import { quantile } from '../measure/statistics.mjs';
import { open, openMany, requestBytes } from './http-generator.mjs';
import { ResponseReader } from './response-reader.mjs';

/** Reads one large response. */
export async function download({ port, host, bytes }) {
  const socket = await open(port);
  const begin = performance.now();
  let received = 0;
  const done = new Promise((resolve, reject) => {
    let status = 0;
    let bodyAt = -1;
    let head = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`cut after ${received} of ${bytes} bytes, status ${status}`)));
    socket.on('data', (chunk) => {
      if (bodyAt < 0) {
        const before = head.length;
        head += chunk.latin1Slice(0, Math.min(chunk.length, 16_384));
        bodyAt = head.indexOf('\r\n\r\n');
        if (bodyAt < 0) return;
        status = Number(head.slice(9, 12));
        received += chunk.length - (bodyAt + 4 - before);
      } else received += chunk.length;
      // A chunked answer has its framing on top; the end is then not exact to the byte.
      if (received >= bytes) resolve(status);
    });
  });
  socket.write(requestBytes({ path: `/stream?n=${bytes}`, host }));
  const status = await done;
  const seconds = (performance.now() - begin) / 1000;
  socket.destroy();
  return { bytes, seconds, failed: status === 200 ? 0 : 1 };
}

/** Writes one large request body and waits for the answer, which is the length that arrived. */
export async function upload({ port, host, bytes }) {
  const socket = await open(port);
  const chunk = Buffer.alloc(1 << 18, 'x');
  const answered = new Promise((resolve, reject) => {
    const reader = new ResponseReader(resolve);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('cut during the upload')));
    socket.on('data', (data) => reader.push(data));
  });
  const begin = performance.now();
  socket.write(requestBytes({ method: 'POST', path: '/echo', host, more: `Content-Length: ${bytes}\r\n` }));
  for (let left = bytes; left > 0; left -= chunk.length) {
    if (!socket.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await once(socket, 'drain');
  }
  const status = await answered;
  const seconds = (performance.now() - begin) / 1000;
  socket.destroy();
  return { bytes, seconds, failed: status === 200 ? 0 : 1 };
}

/** Server-sent events to many subscribers; each event carries the upstream's clock in microseconds. */
export async function sse({ port, host, connections, intervalMs, seconds }) {
  const sockets = await openMany(port, connections);
  const delays = [];
  let counting = false;
  let cut = 0;
  for (const socket of sockets) {
    let rest = '';
    socket.on('error', () => socket.destroy());
    socket.on('close', () => (cut += 1));
    socket.on('data', (chunk) => {
      const now = performance.timeOrigin + performance.now();
      const text = rest + chunk.latin1Slice();
      let end = 0;
      for (const match of text.matchAll(/data: (\d+)\n\n/g)) {
        if (counting) delays.push(Math.max(0, now * 1000 - Number(match[1])));
        end = match.index + match[0].length;
      }
      rest = text.slice(end);
    });
    socket.write(requestBytes({ path: `/sse?n=${intervalMs}`, host, more: 'Accept: text/event-stream\r\n' }));
  }
  await sleep(500);
  const begin = performance.now();
  counting = true;
  process.stdout.write('{"counting":true}\n');
  await sleep(seconds * 1000);
  counting = false;
  process.stdout.write('{"counted":true}\n');
  const elapsed = (performance.now() - begin) / 1000;
  const failed = cut;
  for (const socket of sockets) socket.destroy();
  return {
    requests: delays.length,
    seconds: elapsed,
    p50us: quantile(delays, 0.5),
    p99us: quantile(delays, 0.99),
    failed: delays.length === 0 ? 1 : failed,
  };
}

function sleep(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
