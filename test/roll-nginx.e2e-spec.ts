import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { type EchoAgent, startEchoAgent } from './kit/echo-agent.js';
import { HAS_NO_NGINX, type Nginx, startNginx } from './kit/nginx.js';
import { PlatformRows } from './kit/platform-rows.js';
import { freePort } from './kit/postgres.js';
import { newDirectory, Program, removeDirectory } from './kit/program.js';
import { pause, until } from './kit/wait.js';

const CLIENTS = 24;
const MAX_THINKING_MS = 50;

// nginx sends a POST once: it is lost where the replica closes the connection that nginx has just sent it on.
describe.skipIf(HAS_NO_NGINX).each([1, 2])('a roll of two replicas behind nginx, WORKERS=%i', (workers) => {
  const directory = newDirectory();
  const replicas: Program[] = [];
  let ports: number[];
  let db: TestDatabase;
  let agent: EchoAgent;
  let nginx: Nginx;
  let host: string;
  let key: string;

  const start = async (port: number): Promise<Program> => {
    const program = new Program(directory, {
      PORT: String(port),
      WORKERS: String(workers),
      DATABASE_URL: db.url,
      ADMIN_TOKEN: 'an-operator-token-of-the-test',
      LOG_LEVEL: 'warn',
      SHUTDOWN_DELAY_MS: '2500',
    });
    await program.url();
    return program;
  };

  beforeAll(async () => {
    db = await createTestDatabase();
    agent = await startEchoAgent();
    const rows = new PlatformRows(db);
    const team = await rows.team();
    const sandbox = await rows.sandbox(team.id, await rows.host(`127.0.0.1:${agent.port}`));
    [host, key] = [`3000-${sandbox.id}.localhost`, team.key];
    ports = [await freePort(), await freePort()];
    for (const port of ports) replicas.push(await start(port));
    nginx = await startNginx(ports);
  });
  afterAll(async () => {
    await nginx.stop();
    for (const replica of replicas) await replica.end('SIGKILL');
    await agent.close();
    await db.drop();
    removeDirectory(directory);
  });

  /** POSTs on one connection, with a pause before each, until it is told to stop; what was not answered as it should. */
  async function client(until: { isOver: boolean; sent: number }): Promise<string[]> {
    const lost: string[] = [];
    const connection = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; !until.isOver; i += 1) {
      await pause(Math.random() * MAX_THINKING_MS);
      until.sent += 1;
      const options = {
        agent: connection,
        host: '127.0.0.1',
        port: nginx.port,
        path: `/${i}`,
        method: 'POST',
      };
      try {
        const outbound = request({ ...options, headers: { host, 'x-api-key': key } }).end('body');
        const [answer] = (await once(outbound, 'response')) as [IncomingMessage];
        const body = await text(answer);
        if (answer.statusCode !== 200 || body !== `POST /${i} body`)
          lost.push(`${answer.statusCode} ${body}`);
      } catch (error) {
        lost.push(String(error));
      }
    }
    connection.destroy();
    return lost;
  }

  it('loses no POST of 24 clients that keep their connections', async () => {
    const load = { isOver: false, sent: 0 };
    const clients = Array.from({ length: CLIENTS }, () => client(load));
    for (const [i, port] of ports.entries()) {
      const before = load.sent;
      await until(() => load.sent > before + 200);
      expect(await replicas[i]?.end('SIGTERM')).toBe(0);
      replicas[i] = await start(port);
    }
    load.isOver = true;
    const lost = (await Promise.all(clients)).flat();
    expect(lost, nginx.stderr).toEqual([]);
    expect(load.sent).toBeGreaterThan(1_000);
  });
});
