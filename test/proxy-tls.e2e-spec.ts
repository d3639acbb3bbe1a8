import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { type StartedApp, startApp } from './kit/app.js';
import { asFiles, type Certificate, createAuthority, issue } from './kit/certificates.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows } from './kit/platform-rows.js';
import { DOORS, type Door, SWITCHING, UPGRADE_LINES } from './kit/proxy-stage.js';
import { type Answer, wholeAnswer } from './kit/answer.js';
import { RawConnection } from './kit/raw-connection.js';

const [ca, otherCa] = await Promise.all([createAuthority('agents'), createAuthority('somebody else')]);
const client = await issue(ca);
const strangeClient = await issue(otherCa);
const right = await issue(ca, { ip: '127.0.0.1' });
const wrongName = await issue(ca, { ip: '127.0.0.2' });
const wrongAuthority = await issue(otherCa, { ip: '127.0.0.1' });

const closing: (() => Promise<unknown>)[] = [];
/** Paths that reached an agent. */
const seen: string[] = [];
let db: TestDatabase;
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

/** An agent that shows `shown` and takes nobody without a certificate of the authority; it answers and echoes. */
async function startAgent(shown: Certificate, options: ServerOptions = {}): Promise<number> {
  const identity = { key: shown.key, cert: shown.cert, ca: ca.cert };
  const server: Server = createServer({
    ...identity,
    requestCert: true,
    rejectUnauthorized: true,
    ...options,
  });
  server.on('request', (request, response) => {
    seen.push(request.url ?? '');
    response.end(`secure ${request.url}`);
  });
  server.on('upgrade', (request, socket) => {
    seen.push(request.url ?? '');
    socket.write(SWITCHING);
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** The application with these files for TLS towards its agents. */
async function start(tls: { ca?: string; client?: Certificate }): Promise<StartedApp> {
  db ??= await createTestDatabase().then((made) => {
    closing.unshift(() => made.drop());
    return made;
  });
  const { paths, remove } = asFiles({
    ca: tls.ca ?? '',
    cert: tls.client?.cert ?? '',
    key: tls.client?.key ?? '',
  });
  const env = {
    AGENT_SCHEME: 'https',
    ...(tls.ca === undefined ? {} : { AGENT_CA_FILE: paths.ca }),
    ...(tls.client === undefined ? {} : { AGENT_CERT_FILE: paths.cert, AGENT_KEY_FILE: paths.key }),
  };
  const started = await startApp({ db, env });
  remove();
  closing.push(() => started.close());
  return started;
}

/** Asks for `/x` in a new sandbox at that agent; the connection stays open for a tunnel. */
async function ask(
  app: StartedApp,
  address: string,
  door: Door,
): Promise<{ answer: Answer; connection: RawConnection }> {
  const rows = new PlatformRows(db);
  const team = await rows.team();
  const sandbox = await rows.sandbox(team.id, await rows.host(address));
  const lines = [
    `Host: 80-${sandbox.id}.localhost`,
    `X-API-Key: ${team.key}`,
    ...(door === 'upgrade' ? UPGRADE_LINES : []),
  ];
  const connection = await RawConnection.open(app.port);
  closing.push(async () => connection.close());
  connection.send(`GET /x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  return { answer: await wholeAnswer(connection), connection };
}

describe('an agent that speaks TLS', () => {
  it('and shows the right certificate is reached over HTTP', async () => {
    const app = await start({ ca: ca.cert, client });
    const { answer } = await ask(app, `127.0.0.1:${await startAgent(right)}`, 'HTTP');
    expect(answer).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^secure \/proxy\/cl-[^/]+\/80\/x$/),
    });
  });

  it('and shows the right certificate is reached by an upgrade, bytes both ways', async () => {
    const app = await start({ ca: ca.cert, client });
    const { answer, connection } = await ask(app, `https://127.0.0.1:${await startAgent(right)}`, 'upgrade');
    expect(answer.status).toBe(101);
    connection.send('there and back');
    expect(await connection.bytes(14)).toBe('there and back');
  });

  it('is reached without a client certificate where it asks for none', async () => {
    const app = await start({ ca: ca.cert });
    const { answer } = await ask(app, `127.0.0.1:${await startAgent(right, { requestCert: false })}`, 'HTTP');
    expect(answer.status).toBe(200);
  });
});

describe.each(DOORS)('502 upstream_unreachable, and no request to anybody (%s)', (door) => {
  const REFUSED: [string, () => Promise<StartedApp>, () => Promise<number>][] = [
    [
      "the agent's certificate is of another authority",
      () => start({ ca: ca.cert, client }),
      () => startAgent(wrongAuthority),
    ],
    [
      "the agent's certificate names another host",
      () => start({ ca: ca.cert, client }),
      () => startAgent(wrongName),
    ],
    ["the agent's authority is not configured", () => start({ client }), () => startAgent(right)],
    ['the agent wants a certificate and we have none', () => start({ ca: ca.cert }), () => startAgent(right)],
    [
      'ours is of another authority',
      () => start({ ca: ca.cert, client: strangeClient }),
      () => startAgent(right),
    ],
    ['the agent speaks only TLS 1.1', () => start({ ca: ca.cert, client }), () => startAgent(right, OLD_TLS)],
  ];
  const OLD_TLS = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

  it.each(REFUSED)('when %s', async (_when, startIt, startItsAgent) => {
    seen.length = 0;
    const { answer } = await ask(await startIt(), `127.0.0.1:${await startItsAgent()}`, door);
    expect([answer.status, answer.header('x-sandbox-error')]).toEqual([502, 'proxy;upstream_unreachable']);
    expect(seen).toEqual([]);
    expect(answer.body).not.toMatch(/certificate|127\.0\.0\.1/i);
  });
});
