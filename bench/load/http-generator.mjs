import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { API_KEY, sandboxHost } from '../platform/identities.mjs';
import { quantile } from '../measure/statistics.mjs';
import { ResponseReader } from './response-reader.mjs';

/** One request as bytes; what wrk.lua sends too. */
export function requestBytes({
  method = 'GET',
  path,
  host,
  extraHeaders = 0,
  bodyBytes = 0,
  origin = '',
  more = '',
}) {
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${API_KEY}\r\n${more}`;
  for (let i = 1; i <= extraHeaders; i += 1) {
    const number = String(i).padStart(2, '0');
    head += `X-Client-Header-${number}: value-of-client-header-${number}\r\n`;
  }
  if (origin !== '') head += `Origin: ${origin}\r\n`;
  if (bodyBytes > 0) head += `Content-Type: application/octet-stream\r\nContent-Length: ${bodyBytes}\r\n`;
  return `${head}\r\n${'x'.repeat(bodyBytes)}`;
}

/** Resolves with a connected socket. */
export function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Opens `count` connections, a few hundred at a time, so that no listen queue overflows. */
export async function openMany(port, count) {
  const sockets = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(256, count - sockets.length) }, () => open(port));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** The closed loop that wrk makes, for machines without it. */
export async function http({ port, connections, seconds, host, ...shape }) {
  const hosts = host.startsWith('@') ? readFileSync(host.slice(1), 'utf8').trim().split('\n') : [host];
  const requests = hosts.map((each) => requestBytes({ ...shape, host: each }));
  const sockets = await openMany(port, connections);
  const deadline = performance.now() + seconds * 1000;
  let at = 0;
  return run(sockets, () => (performance.now() < deadline ? requests[at++ % requests.length] : undefined));
}

/** One GET to each of `count` sandboxes from number `first` on, known ones or not, over a few connections. */
export async function each({ port, connections, first, count, path }) {
  const sockets = await openMany(port, connections);
  let n = first;
  return run(sockets, () => (n < first + count ? requestBytes({ path, host: sandboxHost(n++) }) : undefined));
}

/** `count` GETs to one sandbox at once: all connections first, then everything is written before anything is read. */
export async function storm({ port, connections, count, path, host }) {
  const sockets = await openMany(port, connections);
  const request = requestBytes({ path, host });
  const perConnection = Math.ceil(count / connections);
  let left = count;
  const waves = sockets.map(() => {
    const size = Math.min(perConnection, left);
    left -= size;
    return size;
  });
  return run(sockets, (index) => (waves[index]-- > 0 ? request : undefined), perConnection);
}

/** Sends what `next` gives on each socket, `depth` requests ahead of the answers, until it gives no more. */
async function run(sockets, next, depth = 1) {
  const latencies = [];
  const statuses = {};
  let cut = 0;
  const begin = performance.now();
  const talk = (socket, index) =>
    new Promise((resolve) => {
      const sentAt = [];
      const send = () => {
        const request = next(index);
        if (request === undefined) return;
        sentAt.push(performance.now());
        socket.write(request);
      };
      const reader = new ResponseReader((status) => {
        latencies.push(performance.now() - sentAt.shift());
        statuses[status] = (statuses[status] ?? 0) + 1;
        send();
        if (sentAt.length === 0) socket.destroy();
      });
      socket.on('data', (chunk) => reader.push(chunk));
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        cut += sentAt.length;
        resolve();
      });
      for (let i = 0; i < depth; i += 1) send();
      if (sentAt.length === 0) socket.destroy();
    });
  await Promise.all(sockets.map(talk));
  const requests = latencies.length;
  const failed = requests - (statuses[200] ?? 0) + cut;
  return {
    requests,
    seconds: (performance.now() - begin) / 1000,
    p50us: quantile(latencies, 0.5) * 1000,
    p99us: quantile(latencies, 0.99) * 1000,
    failed,
    cut,
    statuses,
  };
}
