import { on } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalAgent } from '../src/demo/local-agent/local-agent.js';
import { type StartedApp, startApp } from './kit/app.js';
import { HAS_NO_PYTHON, type PythonApp, startPythonApp } from './kit/apps/python-app.js';
import { SandboxClient } from './kit/apps/sandbox-client.js';
import { startViteApp, type ViteApp } from './kit/apps/vite-app.js';

const AGENT_TOKEN = 'an-agent-token-of-the-test';

let controlPlane: StartedApp;
const agent = new LocalAgent({ token: AGENT_TOKEN, deniedPorts: () => [] });
let client: SandboxClient;

beforeAll(async () => {
  controlPlane = await startApp({ env: { AGENT_TOKEN } });
  const { port } = await agent.start();
  client = await SandboxClient.create(controlPlane.db, controlPlane.port, `127.0.0.1:${port}`);
  agent.run(client.sandboxId);
});
afterAll(async () => {
  await agent.stop();
  await controlPlane.close();
});

describe('a Vite development server in a sandbox', () => {
  let vite: ViteApp;

  beforeAll(async () => {
    vite = await startViteApp();
  });
  afterAll(() => vite.close());

  it('serves its page with its own client in it', async () => {
    const { status, body } = await client.read(vite.port, '/');
    expect(status).toBe(200);
    expect(body).toContain('A page inside a sandbox');
    expect(body).toContain('<script type="module" src="/@vite/client"></script>');
  });

  it('serves modules, transformed, also by paths with @ and a query', async () => {
    expect((await client.read(vite.port, '/src/main.js')).body).toContain('/src/greeting.js');
    const viteClient = await client.read(vite.port, '/@vite/client');
    expect(viteClient).toMatchObject({ status: 200, body: expect.stringContaining('vite-hmr') });
    const raw = await client.read(vite.port, '/src/main.js?raw');
    expect(raw.body).toContain('export default');
  });

  it('answers 304 to what the browser has', async () => {
    const first = await client.get(vite.port, '/src/greeting.js');
    first.resume();
    const headers = { 'If-None-Match': String(first.headers.etag) };
    const second = await client.get(vite.port, '/src/greeting.js', { headers });
    expect(second.resume().statusCode).toBe(304);
  });

  it('tells of an edited file through its WebSocket', async () => {
    // What a browser does: load the module, so that Vite watches it, then connect with the page's token.
    await client.read(vite.port, '/src/main.js');
    await client.read(vite.port, '/src/greeting.js');
    const origin = `http://${client.headers(vite.port)['Host']}`;
    const path = `/?token=${vite.webSocketToken}`;
    const socket = client.webSocket(vite.port, path, ['vite-hmr'], { Origin: origin });
    const messages = on(socket, 'message');
    const next = async () => {
      const [message] = (await messages.next()).value as [Buffer];
      return JSON.parse(String(message)) as unknown;
    };
    expect(await next()).toEqual({ type: 'connected' });
    expect(socket.protocol).toBe('vite-hmr');
    vite.edit('src/greeting.js', `export const greeting = 'edited';\n`);
    expect(await next()).toMatchObject({
      type: 'update',
      updates: [{ type: 'js-update', path: '/src/main.js', acceptedPath: '/src/greeting.js' }],
    });
    socket.terminate();
    expect((await client.read(vite.port, '/src/greeting.js')).body).toContain('edited');
  });
});

describe.skipIf(HAS_NO_PYTHON)('python3 -m http.server in a sandbox', () => {
  let python: PythonApp;

  beforeAll(async () => {
    python = await startPythonApp({
      'hello.txt': 'hello\n',
      'docs/a b.txt': 'spaced\n',
      'site/index.html': '<h1>index</h1>\n',
    });
  });
  afterAll(() => python.close());

  it('redirects a directory to its name with a slash, relative to the sandbox', async () => {
    const redirect = await client.get(python.port, '/docs?q=1');
    redirect.resume();
    expect(redirect.statusCode).toBe(301);
    expect(redirect.headers.location).toBe('/docs/?q=1');
  });

  it('lists a directory', async () => {
    const { status, body } = await client.read(python.port, '/docs/');
    expect(status).toBe(200);
    expect(body).toContain('<a href="a%20b.txt">a b.txt</a>');
  });

  it('serves files, an index and an encoded name', async () => {
    expect(await client.read(python.port, '/hello.txt')).toEqual({ status: 200, body: 'hello\n' });
    expect((await client.read(python.port, '/site/')).body).toContain('<h1>index</h1>');
    expect((await client.read(python.port, '/docs/a%20b.txt')).body).toBe('spaced\n');
  });

  it('answers HEAD without a body and a missing file with its own 404', async () => {
    const head = await client.get(python.port, '/hello.txt', { method: 'HEAD' });
    expect(head.resume().headers['content-length']).toBe('6');
    const missing = await client.get(python.port, '/missing');
    expect(missing.resume().statusCode).toBe(404);
    expect(missing.headers['x-sandbox-error']).toBeUndefined();
    expect(missing.headers.server).toContain('SimpleHTTP');
  });
});
