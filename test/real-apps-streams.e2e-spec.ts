import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalAgent } from '../src/demo/local-agent/local-agent.js';
import { type StartedApp, startApp } from './kit/app.js';
import { SandboxClient } from './kit/apps/sandbox-client.js';
import { StreamingApp } from './kit/apps/streaming-app.js';

const WEB_SOCKETS = 200;

const AGENT_TOKEN = 'an-agent-token-of-the-test';

let controlPlane: StartedApp;
const agent = new LocalAgent({ token: AGENT_TOKEN, deniedPorts: () => [] });
const app = new StreamingApp();
let client: SandboxClient;

beforeAll(async () => {
  controlPlane = await startApp({ env: { AGENT_TOKEN } });
  const { port } = await agent.start();
  await app.start();
  client = await SandboxClient.create(controlPlane.db, controlPlane.port, `127.0.0.1:${port}`);
  agent.run(client.sandboxId);
});
afterAll(async () => {
  await app.stop();
  await agent.stop();
  await controlPlane.close();
});

describe('server-sent events from a sandbox', () => {
  it('arrive while the answer is open, and a reader who leaves ends the app’s request', async () => {
    const response = await client.get(app.port, '/events', { headers: { Accept: 'text/event-stream' } });
    expect(response.headers['content-type']).toBe('text/event-stream');
    const [event] = (await once(response, 'data')) as [Buffer];
    expect(String(event)).toBe('data: first\n\n');
    expect(response.complete).toBe(false);
    const left = once(app.events, 'left');
    response.destroy();
    await left;
  });
});

describe(`${WEB_SOCKETS} WebSockets into a sandbox at once`, () => {
  it('echo their own messages, small and large, and close on both sides', async () => {
    const sockets = await Promise.all(
      Array.from({ length: WEB_SOCKETS }, async (_, n) => {
        const socket = client.webSocket(app.port, `/socket/${n}`);
        await once(socket, 'open');
        return socket;
      }),
    );
    expect(app.webSockets).toBe(WEB_SOCKETS);
    for (const length of [12, 20_000]) {
      const echoes = sockets.map(async (socket) => {
        const message = randomBytes(length);
        const answer = once(socket, 'message');
        socket.send(message);
        const [echoed] = (await answer) as [Buffer];
        return echoed.equals(message);
      });
      expect(new Set(await Promise.all(echoes))).toEqual(new Set([true]));
    }
    const codes = sockets.map(async (socket) => {
      const closed = once(socket, 'close');
      socket.close(4321);
      return (await closed)[0] as number;
    });
    expect(new Set(await Promise.all(codes))).toEqual(new Set([4321]));
    await expect.poll(() => app.webSockets).toBe(0);
  });
});
