import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Asked } from './agent.js';
import { converse } from './conversation.js';
import { type AppName, APPS } from './foreign-apps.global-setup.js';
import { type Credential, Machines } from './machines.js';
import { OWN_ROUTE_CASES } from './own-routes.cases.js';
import { type Answer, ask, codeOf, openSocket, SandboxSocket } from './sandbox-client.js';

function askedOf({ body }: Pick<Answer, 'body'>): Asked {
  return JSON.parse(body) as Asked;
}

function withoutId({ body }: Answer): string {
  return body.replace(/"requestId":"[^"]*"/, '');
}

describe.each(Object.keys(APPS) as AppName[])('the proxy in an application of somebody else: %s', (name) => {
  let machines: Machines;
  let machine: string;
  let key: Credential;
  let token: Credential;
  beforeAll(async () => {
    machines = await Machines.start(name);
    machine = await machines.machine('blue');
    key = await machines.key('blue');
    token = await machines.token('blue');
  });
  afterAll(() => machines?.stop());

  test('a request with a key of its form reaches the port of the machine as it was sent', async () => {
    const answer = await ask(machines.place(machine), {
      path: '/a//b/%2Fc/?x=%20&',
      fields: { ...key.fields, Origin: 'https://console.example.com' },
    });
    expect(answer.status).toBe(200);
    const { url, headers } = askedOf(answer);
    expect(url).toBe(`/proxy/${machine}/3000/a//b/%2Fc/?x=%20&`);
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers).not.toHaveProperty('x-api-key');
  });

  test("nothing of the application's own answers is on that of a sandbox", async () => {
    const { fields } = await ask(machines.place(machine), {
      fields: { ...key.fields, Origin: 'https://console.example.com' },
    });
    // its CORS, its helmet, its framework
    expect(Object.keys(fields).toSorted()).toEqual(['connection', 'content-length', 'date', 'x-request-id']);
  });

  test("its body limit, its parser and its CORS are not a sandbox's", async () => {
    const body = 'x'.repeat(100_000);
    const fields = { ...key.fields, 'Content-Type': 'application/json' };
    expect(askedOf(await ask(machines.place(machine), { method: 'POST', body, fields })).bodyLength).toBe(
      100_000,
    );
    const preflight = await ask(machines.place(machine), {
      method: 'OPTIONS',
      fields: { ...key.fields, Origin: 'https://a.example', 'Access-Control-Request-Method': 'PUT' },
    });
    expect(askedOf(preflight).method).toBe('OPTIONS');
  });

  test("the application's own kind of credential admits, and does not reach the sandbox", async () => {
    const answer = await ask(machines.place(machine), { fields: token.fields });
    expect(answer.status).toBe(200);
    expect(askedOf(answer).headers).not.toHaveProperty('authorization');
  });

  test("an app's own Authorization passes where something else has admitted", async () => {
    const fields = { ...key.fields, Authorization: 'Bearer of-the-app' };
    const { headers } = askedOf(await ask(machines.place(machine), { fields }));
    expect(headers['authorization']).toBe('Bearer of-the-app');
  });

  test('a WebSocket opens by either credential, and neither reaches the sandbox', async () => {
    for (const { fields } of [key, token]) {
      const opened = await SandboxSocket.open(machines.place(machine), fields);
      if (!('socket' in opened)) throw new Error(`refused with ${opened.status}`);
      const { url, headers } = askedOf({ body: opened.greeting });
      expect(url).toBe(`/proxy/${machine}/3000/socket`);
      expect(headers).not.toHaveProperty('x-api-key');
      expect(headers).not.toHaveProperty('authorization');
      await opened.socket.echo('hello');
      opened.socket.close();
    }
  });

  test.each([
    ['no credential', () => ({}), 401, 'unauthorized'],
    ['an unknown key', () => ({ 'X-API-Key': `machines-${'0'.repeat(32)}` }), 401, 'unauthorized'],
    ['a text of another form', () => ({ 'X-API-Key': `wrn_${'0'.repeat(32)}` }), 401, 'unauthorized'],
    ['a forged token', () => ({ Authorization: `${token.fields['Authorization']}x` }), 401, 'unauthorized'],
    ['a token of nobody', () => ({ Authorization: 'Bearer a.b.c' }), 401, 'unauthorized'],
  ])('%s is refused at both doors', async (_, fields, status, code) => {
    const [answer, upgrade] = [
      await ask(machines.place(machine), { fields: fields() }),
      await SandboxSocket.open(machines.place(machine), fields()),
    ];
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(upgrade).toMatchObject({ status, fields: { 'x-sandbox-error': `proxy;${code}` } });
  });

  test('an expired token is refused in the words of its scheme', async () => {
    const { fields } = await machines.token('blue', -1);
    const answer = await ask(machines.place(machine), { fields });
    expect(answer.status).toBe(401);
    expect(answer.body).toContain('the token has expired or was revoked');
  });

  test("another owner's machine is answered as one that is not there", async () => {
    const { fields } = await machines.key('red');
    const [others, none] = [
      await ask(machines.place(machine), { fields }),
      await ask(machines.place('vm-ffffffffffff'), { fields }),
    ];
    expect([others.status, codeOf(others)]).toEqual([404, 'sandbox_not_found']);
    expect(withoutId(others)).toBe(withoutId(none));
  });

  test('an id that is not of its form is refused in the words of the application', async () => {
    const answer = await ask(machines.place('vm-xyz'), { fields: key.fields });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_sandbox_id']);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { message: expect.stringContaining('"vm-" and 12 hex digits') as string },
    });
  });

  test("a machine that is off is answered with the application's word for it", async () => {
    const off = await machines.machine('blue');
    await machines.turnOff(off);
    const answer = await ask(machines.place(off), { fields: key.fields });
    expect([answer.status, codeOf(answer)]).toEqual([409, 'sandbox_not_running']);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { status: 'off' } });
  });

  test("the log is Nest's, with the machine and without credential, path and query", async () => {
    const path = '/a-path-that-is-not-logged?a-query';
    const { fields } = await ask(machines.place(machine), { path, fields: key.fields });
    const id = fields['x-request-id'] as string;
    await expect.poll(() => machines.app.output).toContain(id);
    const line = machines.app.output.split('\n').find((each) => each.includes(id));
    expect(line).toMatch(/^\[Nest\] /);
    expect(line).toContain(machine);
    expect(machines.app.output).not.toContain('a-path-that-is-not-logged');
    expect(machines.app.output).not.toContain(key.fields['X-API-Key'] as string);
    expect(machines.app.output).not.toContain((token.fields['Authorization'] as string).slice(7));
  });

  test('SIGTERM ends a WebSocket with a word, and the process as without the module', async () => {
    const stopping = await Machines.start(name);
    const socket = await openSocket(
      stopping.place(await stopping.machine('blue')),
      (await stopping.key('blue')).fields,
    );
    const code = stopping.app.stop();
    expect((await socket.closed).code).toBe(1012);
    // Nest itself sends the signal again, once it has closed everything
    expect(await code).toBe('SIGTERM');
    await stopping.agent.stop();
  });
});

describe.each(['fastify', 'fastify-nest-11'] as const)('on `localhost` with two addresses: %s', (name) => {
  const SECOND = '127.0.0.2';
  let machines: Machines;
  beforeAll(async () => {
    const inspection = { secondLocalhost: SECOND };
    machines = await Machines.start(name, { env: { HOST: 'localhost' }, inspection });
    await machines.app.listensOn(2);
  });
  afterAll(() => machines?.stop());

  test.each(['127.0.0.1', SECOND])('%s serves sandboxes and the application', async (host) => {
    const place = { ...machines.place(await machines.machine('blue')), host };
    const { fields } = await machines.key('blue');
    const body = 'x'.repeat(100_000);
    const answer = await ask(place, { method: 'POST', path: '/deep', fields, body });
    expect(askedOf(answer)).toMatchObject({
      url: `/proxy/${place.sandboxId}/3000/deep`,
      bodyLength: 100_000,
    });
    expect((await ask(place)).status).toBe(401);
    const socket = await openSocket(place, fields);
    await socket.echo('hello');
    await machines.turnOff(place.sandboxId);
    expect((await socket.closed).code).not.toBe(1006);
    const own = await converse(place.port, OWN_ROUTE_CASES['a GET']?.bytes ?? '', { host });
    expect(own.said.split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
  });
});
