// npm run soak: churn for some minutes, and what the program holds meanwhile.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopAll } from '../platform/processes.mjs';
import { madeUpKey, ownHead as head, UPGRADE } from './requests.mjs';
import { Stage } from './stage.mjs';

const USAGE = `npm run soak -- [options]

  --minutes n    how long sandboxes and clients come and go (10)
  --program file main.js of the built program (dist/src/main.js)`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    program: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const endAtMs = performance.now() + Number(values.minutes) * 60_000;
/** Sandboxes at a time; the oldest is deleted for each new one. */
const SANDBOXES = 50;
/** How many times the program is looked at. */
const LOOKS = 40;
/** What may be added from the first third of the time to the last, besides what comes and goes. */
const ALLOWED = { heap: 10, external: 10, descriptors: 20, timers: 50 };

const stage = await Stage.set({
  countTimers: true,
  ...(values.program === undefined ? {} : { program: values.program }),
});
process.once('SIGINT', () => void stopAll().then(() => process.exit(130)));
const app = createServer((request, response) => {
  request.on('error', () => undefined).resume();
  if (request.url.endsWith('/stream')) return void stream(response);
  request.on('end', () => response.end('ok'));
});
app.on('upgrade', (request, socket) => {
  socket.on('error', () => undefined);
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.pipe(socket);
});
await once(app.listen(0, '127.0.0.1'), 'listening');

function stream(response) {
  const ticker = setInterval(() => response.write('data: tick\n\n'), 100);
  response.on('close', () => clearInterval(ticker));
}

/** What clients do, each on a connection of its own: what they send, and after how long they are gone, milliseconds. */
const CLIENTS = [
  (place) => [head('GET /', place), 200],
  (place) => [head('GET /', place).repeat(5), 200],
  (place) => [`${head('POST /', place, ['Content-Length: 1000000'])}${'x'.repeat(1_000_000)}`, 400],
  (place) => [`${head('POST /', place, ['Content-Length: 1000000'])}abc`, 100],
  (place) => [head('GET /stream', place), 1_500],
  (place) => [`${head('GET /', place, UPGRADE)}${'\x81\x82abcdxy'.repeat(10)}`, 2_000],
  (place) => [head('GET /', { ...place, key: madeUpKey() }), 200],
  (place) => [`${head('GET /', place)}NONSENSE\r\n\r\n`, 200],
  (place) => [head('GET /', place).slice(0, -10), 500],
  () => ['GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 200],
];
let answered = 0;

function client(place, index) {
  const [bytes, stayMs] = CLIENTS[index % CLIENTS.length](place);
  const socket = connect({ host: '127.0.0.1', port: stage.port });
  socket.on('error', () => undefined);
  socket.once('data', () => (answered += 1));
  socket.write(bytes);
  setTimeout(() => (index % 3 === 0 ? socket.resetAndDestroy() : socket.destroy()), stayMs);
}

/** One turn: a team's key and sandbox come, another's go, and 20 clients call. */
async function turn(team, places, index) {
  const key = await stage.key(team.id);
  const sandbox = await stage.sandbox(team.id, app.address().port);
  places.push({ ...sandbox, key: key.key, keyId: key.id });
  const old = places.length > SANDBOXES ? places.shift() : undefined;
  if (old !== undefined) {
    await stage.database.query('DELETE FROM sandboxes WHERE id = $1', [old.uuid]);
    await stage.database.query('DELETE FROM team_api_keys WHERE id = $1', [old.keyId]);
  }
  for (let one = 0; one < 20; one++) client(places[(index * 7 + one) % places.length], index * 20 + one);
}

const looks = [];
async function look(atMs) {
  const left = await stage.probe('left');
  const seen = {
    minute: atMs / 60_000,
    rss: left.rss / 1e6,
    heap: left.heapUsed / 1e6,
    external: left.external / 1e6,
    descriptors: stage.descriptors,
    timers: left.timers,
  };
  looks.push(seen);
  process.stdout.write(
    `${Object.values(seen)
      .map((value) => value.toFixed(1).padStart(11))
      .join('')}${String(answered).padStart(11)}\n`,
  );
}

process.stdout.write('     minute     rss MB    heap MB   extern MB     descr.     timers   answered\n');
let failed = [];
try {
  const team = await stage.team();
  const places = [];
  const startedAtMs = performance.now();
  const everyMs = (endAtMs - startedAtMs) / LOOKS;
  for (let index = 0; performance.now() < endAtMs; index++) {
    await turn(team, places, index);
    if (performance.now() - startedAtMs >= everyMs * (looks.length + 1))
      await look(performance.now() - startedAtMs);
    if (!stage.isRunning) throw new Error('the program has ended');
    await sleep(50);
  }
  failed = Object.entries(ALLOWED).filter(([name, allowed]) => grown(name) > allowed);
  for (const [name, allowed] of failed)
    process.stdout.write(`${name} grew by ${grown(name).toFixed(1)}, more than ${allowed}\n`);
  if (failed.length === 0) process.stdout.write('flat\n');
} finally {
  app.closeAllConnections();
  app.close();
  await stage.database.end();
  await stopAll();
}
process.exit(failed.length === 0 ? 0 : 1);

/** From the first third, without its beginning, to the last: medians. */
function grown(name) {
  const third = Math.floor(looks.length / 3);
  const median = (part) =>
    part.map((seen) => seen[name]).toSorted((a, b) => a - b)[Math.floor(part.length / 2)];
  return median(looks.slice(-third)) - median(looks.slice(Math.ceil(third / 3), third));
}
