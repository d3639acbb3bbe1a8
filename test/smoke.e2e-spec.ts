import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { identityOf } from '../src/demo/embedded-postgres/embedded-postgres-process.js';
import { caller } from './kit/api-client.js';
import { apiKey, curlLine, demoUrl, open, paste, PASTED_WITH } from './kit/first-start.js';
import { newDirectory, postmasterPid, Program, removeDirectory } from './kit/program.js';

const ON_A_FREE_PORT = { PORT: '0', SHUTDOWN_GRACE_MS: '1000' };

describe('npm start without any configuration', () => {
  const directory = newDirectory();
  let program: Program;
  let url: string;

  beforeAll(async () => {
    program = new Program(directory, ON_A_FREE_PORT);
    url = await program.url();
  });

  afterAll(async () => {
    await program.end('SIGTERM');
    removeDirectory(directory);
  });

  it('prints a key, the URL form and a way to one’s own localhost:3000', () => {
    expect(program.banner).toContain('First start');
    expect(apiKey(program.banner)).not.toBe('');
    expect(program.banner).toMatch(/http:\/\/\{port\}-cl-[0-9a-z]{25}\.localhost:\d+\n/);
    expect(program.banner).toMatch(
      /curl -H 'X-API-Key: wrn_\w+' http:\/\/3000-cl-[0-9a-z]{25}\.localhost:\d+\/\n/,
    );
    expect(program.stderr).toBe('');
  });

  it('opens the demo app by the URL it printed', async () => {
    const answer = await open(demoUrl(program.banner), apiKey(program.banner));
    expect(answer).toMatchObject({
      status: 200,
      text: expect.stringContaining('Hello from inside the sandbox'),
    });
  });

  it(`prints a curl line that works when pasted (by ${PASTED_WITH})`, async () => {
    expect(await paste(curlLine(program.banner))).toContain('Hello from inside the sandbox');
  });

  it('refuses the demo app to those without the key', async () => {
    expect(await open(demoUrl(program.banner), `wrn_${'0'.repeat(32)}`)).toMatchObject({ status: 401 });
  });

  it('passes the demo app’s clock on as it ticks', async () => {
    const { host, port } = new URL(demoUrl(program.banner));
    const headers = { host, 'x-api-key': apiKey(program.banner) };
    const request = get({ host: '127.0.0.1', port, path: '/clock', headers });
    const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
    const [tick] = (await once(response, 'data')) as [Buffer];
    expect(String(tick)).toMatch(/^data: \d{4}-\d\d-\d\dT/);
    request.destroy();
  });

  it('carries the demo app’s WebSocket echo', async () => {
    const { host, port } = new URL(demoUrl(program.banner));
    const headers = { host, 'x-api-key': apiKey(program.banner) };
    const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`, { headers });
    await once(socket, 'open');
    socket.send('hello');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(String(message)).toBe('hello');
    socket.close();
  });

  it('reaches a server on one’s own localhost through the sandbox', async () => {
    const own = createServer((_request, response) => response.end('my own app')).listen(0, '127.0.0.1');
    await once(own, 'listening');
    const { port } = own.address() as AddressInfo;
    const through = demoUrl(program.banner).replace(/\/\d+-/, `/${port}-`);
    expect(await open(through, apiKey(program.banner))).toEqual({ status: 200, text: 'my own app' });
    own.close();
  });

  it('does not lead from the sandbox to the control plane', async () => {
    const { port } = new URL(url);
    const toItself = demoUrl(program.banner).replace(/\/\d+-/, `/${port}-`);
    expect((await open(toItself, apiKey(program.banner))).text).toContain('port_denied');
  });

  it('writes the key nowhere once it has been shown', () => {
    expect(existsSync(join(directory, 'data/unshown-api-key'))).toBe(false);
  });

  it('refuses a second start on the same port in one line, and goes on undisturbed', async () => {
    const second = new Program(directory, { ...ON_A_FREE_PORT, PORT: new URL(url).port, DATA_DIR: 'other' });
    expect(await second.exited()).toBe(1);
    expect(second.stderr).toMatch(/^port \d+ on 127\.0\.0\.1 is taken: .+ set PORT to another port\n$/);
    expect(await open(demoUrl(program.banner), apiKey(program.banner))).toMatchObject({ status: 200 });
  });

  it('refuses a second start on the same data directory in one line, and goes on undisturbed', async () => {
    const server = postmasterPid(directory);
    const second = new Program(directory, ON_A_FREE_PORT);
    expect(await second.exited()).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(
        `^DATA_DIR ${directory}/data is in use by another control plane \\(process ${program.pid}\\): .+ DATABASE_URL .+\\n$`,
      ),
    );
    expect(second.banner).toBe('');
    expect(postmasterPid(directory)).toBe(server);
    expect(await open(demoUrl(program.banner), apiKey(program.banner))).toMatchObject({ status: 200 });
  });
});

describe('the end of a program and its next start', () => {
  let directory: string;
  let programs: Program[];
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const program = new Program(directory, { ...ON_A_FREE_PORT, ...env });
    programs.push(program);
    return { program, url: await program.url() };
  };

  beforeEach(() => {
    directory = newDirectory();
    programs = [];
  });

  afterEach(async () => {
    for (const program of programs) await program.end('SIGTERM');
    removeDirectory(directory);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0 and PostgreSQL with it', async (signal) => {
    const { program } = await start();
    const pid = postmasterPid(directory) ?? 0;
    expect(identityOf(pid)).not.toBeNull();
    expect(await program.end(signal)).toBe(0);
    expect(identityOf(pid)).toBeNull();
    expect(program.stderr).toBe('');
  });

  it('finds team, key, sandbox and URL again', async () => {
    const first = await start({ PORT: '0' });
    const key = apiKey(first.program.banner);
    const { port } = new URL(first.url);
    await first.program.end('SIGTERM');
    const second = await start({ PORT: port });
    expect(second.program.banner).toContain('Found the team "demo" and its sandbox again');
    expect(second.program.banner).not.toContain('wrn_');
    expect(demoUrl(second.program.banner)).toBe(demoUrl(first.program.banner));
    expect(await open(demoUrl(second.program.banner), key)).toMatchObject({ status: 200 });
  });

  it('loses nothing acknowledged by kill -9, and its next start stops the server it left', async () => {
    const first = await start();
    const key = apiKey(first.program.banner);
    const created = await caller(first.url, { 'x-api-key': key })('POST', '/v1/sandboxes', {
      template: 'mine',
    });
    expect(created.status).toBe(201);
    const left = postmasterPid(directory) ?? 0;
    expect(await first.program.end('SIGKILL')).toBe('SIGKILL');
    expect(identityOf(left)).not.toBeNull();
    const second = await start();
    expect(identityOf(left)).toBeNull();
    const found = await caller(second.url, { 'x-api-key': key })('GET', `/v1/sandboxes/${created.body.id}`);
    expect(found).toMatchObject({ status: 200, body: { template: 'mine' } });
    const pid = postmasterPid(directory) ?? 0;
    expect(await second.program.end('SIGTERM')).toBe(0);
    expect(identityOf(pid)).toBeNull();
  });

  it('survives kill -9 of the program and of its server at once', async () => {
    const first = await start();
    const key = apiKey(first.program.banner);
    process.kill(postmasterPid(directory) ?? 0, 'SIGKILL');
    await first.program.end('SIGKILL');
    const second = await start();
    expect(await open(demoUrl(second.program.banner), key)).toMatchObject({ status: 200 });
  });

  it('works in a private directory, also for root, as whom PostgreSQL does not run', async () => {
    chmodSync(directory, 0o700);
    const first = await start();
    const key = apiKey(first.program.banner);
    await first.program.end('SIGTERM');
    const isElsewhere = lstatSync(join(directory, 'data/postgresql')).isSymbolicLink();
    expect(isElsewhere).toBe(process.getuid?.() === 0);
    const second = await start();
    expect(await open(demoUrl(second.program.banner), key)).toMatchObject({ status: 200 });
  });

  it(`replaces a lost key by the line it printed (by ${PASTED_WITH})`, async () => {
    const first = await start();
    await first.program.end('SIGTERM');
    const { program } = await start();
    const line = /(curl -H "Authorization.*)\n/.exec(program.banner)?.[1] ?? '';
    const { key } = JSON.parse(await paste(line)) as { key: string };
    expect(await open(demoUrl(program.banner), key)).toMatchObject({ status: 200 });
  });
});
