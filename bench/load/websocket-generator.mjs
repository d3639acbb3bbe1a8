import { quantile } from '../measure/statistics.mjs';
import { openMany, requestBytes } from './http-generator.mjs';

const PAYLOAD = Buffer.from('a small message of 32 bytes, yes');
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const REQUEST_FRAME = Buffer.concat([
  Buffer.from([0x81, 0x80 | PAYLOAD.length]),
  MASK,
  PAYLOAD.map((byte, i) => byte ^ MASK[i & 3]),
]);
const ANSWER_FRAME = Buffer.concat([Buffer.from([0x81, PAYLOAD.length]), PAYLOAD]);

/** WebSockets through the proxy to the upstream's echo, `hosts.length` sandboxes in turn. */
async function openWebSockets(port, hosts, count) {
  const sockets = await openMany(port, count);
  const opened = [];
  for (let i = 0; i < sockets.length; i += 256) {
    opened.push(
      ...(await Promise.all(
        sockets.slice(i, i + 256).map((socket, j) => upgrade(socket, hosts[(i + j) % hosts.length])),
      )),
    );
  }
  return opened;
}

function upgrade(socket, host) {
  return new Promise((resolve, reject) => {
    let head = '';
    const fail = () => reject(new Error(`no WebSocket: ${head.split('\r\n')[0] || 'cut'}`));
    socket.on('error', () => socket.destroy());
    socket.once('close', fail);
    const read = (chunk) => {
      head += chunk.latin1Slice();
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', read);
      socket.off('close', fail);
      if (head.startsWith('HTTP/1.1 101 ')) resolve(socket);
      else fail();
    };
    socket.on('data', read);
    const more =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    socket.write(requestBytes({ path: '/ws', host, more }));
  });
}

/** One small message under way on each connection; a round trip is a unit. */
export async function websocketEcho({ port, hosts, connections, seconds }) {
  const sockets = await openWebSockets(port, hosts, connections);
  const latencies = [];
  let wrong = 0;
  const begin = performance.now();
  process.stdout.write('{"counting":true}\n');
  const deadline = begin + seconds * 1000;
  const talk = (socket) =>
    new Promise((resolve) => {
      let pending = Buffer.alloc(0);
      let sentAt = performance.now();
      socket.on('close', resolve);
      socket.on('data', (chunk) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        if (pending.length < ANSWER_FRAME.length) return;
        if (!pending.equals(ANSWER_FRAME)) wrong += 1;
        pending = Buffer.alloc(0);
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now > deadline) socket.destroy();
        else {
          sentAt = now;
          socket.write(REQUEST_FRAME);
        }
      });
      socket.write(REQUEST_FRAME);
    });
  await Promise.all(sockets.map(talk));
  process.stdout.write('{"counted":true}\n');
  return {
    requests: latencies.length,
    seconds: (performance.now() - begin) / 1000,
    p50us: quantile(latencies, 0.5) * 1000,
    p99us: quantile(latencies, 0.99) * 1000,
    failed: wrong,
  };
}

/** Opens WebSockets, says so, and keeps them open until stdin ends. */
export async function websocketIdle({ port, hosts, connections }) {
  const sockets = await openWebSockets(port, hosts, connections);
  let cut = 0;
  for (const socket of sockets) socket.once('close', () => (cut += 1));
  process.stdout.write('{"counting":true}\n');
  await new Promise((resolve) => {
    process.stdin.once('end', resolve).resume();
  });
  const failed = cut;
  for (const socket of sockets) socket.destroy();
  return { requests: connections, failed };
}
