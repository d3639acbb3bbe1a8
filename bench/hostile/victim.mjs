import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request is sent this often, whatever became of the one before, milliseconds. */
const EVERY_MS = 20;
/** How long an answer is waited for, milliseconds; then it counts as one that never came. */
const PATIENCE_MS = 15_000;
/** Every so many requests come on a connection of their own. */
const FRESH = 10;
const BODY = 'the answer of the sandbox';

/** An app that answers at once. */
export async function startVictimApp() {
  const server = createServer((request, response) => response.end(BODY));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: server.address().port, close: () => server.close() };
}

/**
 * Sends the victim's requests for a time, each when it is due.
 *
 * @param {{ port: number, host: string, key: string, seconds: number }} options
 * @returns {Promise<{ count: number, p50Ms: number, p99Ms: number, wrong: Record<string, number>, healthMs: number }>}
 *   `wrong`: answers that were not the sandbox's, by what they were; `healthMs`: the longest that /healthz took
 */
export async function measureVictim({ port, host, key, seconds }) {
  const idle = [];
  const times = [];
  const wrong = {};
  const under = [];
  let healthMs = 0;
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${key}\r\n\r\n`;
  const health = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const ask = async (dueAtMs, connection) => {
    const { said, socket } = await exchange(port, connection, request);
    times.push(performance.now() - dueAtMs);
    if (socket !== undefined) idle.push(socket);
    if (said !== `200 ${BODY}`) wrong[said.slice(0, 80)] = (wrong[said.slice(0, 80)] ?? 0) + 1;
  };
  const askHealth = async (dueAtMs) => {
    const { said, socket } = await exchange(port, undefined, health);
    healthMs = Math.max(healthMs, performance.now() - dueAtMs);
    socket?.destroy();
    if (!said.startsWith('200')) wrong['/healthz'] = (wrong['/healthz'] ?? 0) + 1;
  };
  const startedAtMs = performance.now();
  for (let index = 0; index * EVERY_MS < seconds * 1_000; index++) {
    const dueAtMs = startedAtMs + index * EVERY_MS;
    const waitMs = dueAtMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const connection = index % FRESH === 0 ? undefined : idle.pop();
    under.push(ask(dueAtMs, connection));
    if (index % 25 === 0) under.push(askHealth(dueAtMs));
  }
  await Promise.all(under);
  for (const socket of idle) socket.destroy();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { count: times.length, p50Ms: at(0.5), p99Ms: at(0.99), wrong, healthMs };
}

/** One exchange: status and body, or what went wrong; `socket` where the connection can be used again. */
function exchange(port, idle, request) {
  return new Promise((resolve) => {
    const socket = idle ?? connect({ host: '127.0.0.1', port, noDelay: true });
    let text = '';
    const end = (said, isReusable = false) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      if (!isReusable) socket.destroy();
      resolve({ said, socket: isReusable ? socket : undefined });
    };
    const timer = setTimeout(() => end('no answer'), PATIENCE_MS);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const bodyAt = text.indexOf('\r\n\r\n') + 4;
      if (bodyAt === 3) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < bodyAt + length) return;
      const code = /x-sandbox-error: (\S+)/i.exec(text.slice(0, bodyAt))?.[1];
      end(`${text.slice(9, 12)} ${code ?? text.slice(bodyAt)}`, !/\r\nconnection: close/i.test(text));
    });
    socket.on('error', ({ code }) => end(code));
    socket.on('close', () => end('closed'));
    socket.write(request);
  });
}
