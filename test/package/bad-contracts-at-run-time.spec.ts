import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Agent } from './agent.js';
import { AppProcess } from './app-process.js';
import { ask, codeOf, type Fields, openSocket, type Place, SandboxSocket } from './sandbox-client.js';

const GOOD_KEY = 'key-good';
const AGENT = '127.0.0.1:1';
/** A store has 10 s to answer; the rest is a slow machine's share. */
const ANSWERED_WITHIN_MS = 15_000;

/** What no store must answer, as JSON; "undefined" is undefined. */
const NONSENSE: Readonly<Record<string, readonly unknown[]>> = {
  'SandboxDirectory.locate': [
    'undefined',
    0,
    'running',
    true,
    [],
    {},
    { status: 'running' },
    { status: 1, address: AGENT, hostId: null },
    { status: 'running', address: {}, hostId: null },
    { status: 'running', address: AGENT, hostId: 7 },
    { status: 'running', address: AGENT, hostId: null, isAsleep: 'no' },
  ],
  'SandboxIds.isWellFormed': ['undefined', 'yes', 1, {}],
  'ApiKeyStore.digest': ['undefined', 5, {}],
  'ApiKeyStore.find': [
    'undefined',
    0,
    'blue',
    true,
    [],
    {},
    { keyId: 'k' },
    { teamId: 'blue' },
    { keyId: 1, teamId: 'blue' },
    { keyId: 'k', teamId: null },
  ],
  'PortSettings.find': [
    'undefined',
    'public',
    true,
    {},
    { visibility: 'public', cors: 'app' },
    { teamId: 1, visibility: 'public', cors: 'app' },
    { teamId: 'blue', visibility: 'everyone', cors: 'app' },
    { teamId: 'blue', visibility: 'public', cors: 5 },
    { teamId: 'blue', visibility: 'public', cors: [5] },
  ],
  'SessionStore.find': [
    'undefined',
    true,
    {},
    { teamId: 'blue' },
    { sessionId: 's', linkId: 'l', teamId: 'blue', sandboxId: 'vm-1', port: 3000 },
  ],
  'SessionStore.begin': [
    'undefined',
    true,
    {},
    { token: 5, embed: false, expiresAtMs: 1e15 },
    { token: 'a b;c' },
  ],
  'BearerScheme.find': ['undefined', 5, 'x', {}, { secret: 5, header: 'authorization' }, { secret: 'x' }],
  'BearerScheme.admit': [
    'undefined',
    0,
    true,
    'blue',
    {},
    { teamId: 'blue' },
    { teamId: 5, restsOn: [] },
    { teamId: 'blue', restsOn: [] },
    { teamId: 'blue', restsOn: [5], scheme: {} },
  ],
};

/** How a request says what shall happen. */
const SAID_BY: Readonly<
  Record<string, (mode: string) => { sandboxId?: string; path?: string; fields: Fields }>
> = {
  'SandboxDirectory.locate': (mode) => ({
    sandboxId: `vm-locate-${mode}`,
    fields: { 'X-API-Key': GOOD_KEY },
  }),
  'SandboxIds.isWellFormed': (mode) => ({
    sandboxId: `vm-wellformed-${mode}`,
    fields: { 'X-API-Key': GOOD_KEY },
  }),
  'ApiKeyStore.digest': (mode) => ({ fields: { 'X-API-Key': `key-digest-${mode}` } }),
  'ApiKeyStore.find': (mode) => ({ fields: { 'X-API-Key': `key-find-${mode}` } }),
  'PortSettings.find': (mode) => ({ sandboxId: `vm-port-${mode}`, fields: {} }),
  'SessionStore.find': (mode) => ({ fields: { Cookie: `sandbox_session=link-${mode.replace('-', '')}` } }),
  'BearerScheme.find': (mode) => ({ fields: { Authorization: `Bearer x-find-${mode}` } }),
  'BearerScheme.admit': (mode) => ({ fields: { Authorization: `Bearer x-admit-${mode}` } }),
};

/** Pure ones answer at once or throw. */
const PURE = ['SandboxIds.isWellFormed', 'ApiKeyStore.digest', 'BearerScheme.find'];

function modesOf(method: string): string[] {
  const nonsense = (NONSENSE[method] ?? []).map((_value, i) => `nonsense-${i}`);
  return ['throws', ...(PURE.includes(method) ? [] : ['rejects', 'silent']), ...nonsense];
}

function shown(method: string, mode: string): string {
  const [, index] = /^nonsense-(\d+)$/.exec(mode) ?? [];
  return index === undefined ? mode : `answers ${JSON.stringify(NONSENSE[method]?.[Number(index)])}`;
}

const LINK_FAULTS = modesOf('SessionStore.begin').map(
  (mode) => [`SessionStore.begin ${shown('SessionStore.begin', mode)}`, mode] as const,
);

class Host {
  private constructor(
    readonly agent: Agent,
    readonly app: AppProcess,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<Host> {
    const agent = await Agent.start();
    const directory = inject('foreignApps').express;
    const nonsense = JSON.stringify(NONSENSE).replaceAll(AGENT, agent.address);
    const app = await AppProcess.start(directory, 'faulty-host.mjs', {
      AGENT: agent.address,
      NONSENSE: nonsense,
      ...env,
    });
    return new Host(agent, app);
  }

  place(sandboxId = 'vm-good'): Place {
    return { port: this.app.port, sandboxId };
  }

  async post(path: string, body: unknown = {}): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.app.port}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.text();
  }

  async status(key = GOOD_KEY): Promise<number> {
    return (await ask(this.place(), { fields: { 'X-API-Key': key } })).status;
  }

  async stop(): Promise<void> {
    await this.app.stop('SIGKILL');
    await this.agent.stop();
  }
}

describe.each(Object.keys(SAID_BY))('%s fails while it is asked', (method) => {
  let host: Host;
  beforeAll(async () => {
    host = await Host.start();
  });
  afterAll(() => host?.stop());
  const faults = modesOf(method).map((mode) => [shown(method, mode), mode] as const);

  test.concurrent.each(faults)('%s: 503 at both doors', async (_, mode) => {
    const { sandboxId = 'vm-good', fields } = SAID_BY[method]?.(mode) ?? { fields: {} };
    const [answer, upgrade] = await Promise.all([
      ask(host.place(sandboxId), { fields, withinMs: ANSWERED_WITHIN_MS }),
      SandboxSocket.open(host.place(sandboxId), fields),
    ]);
    expect([answer.status, codeOf(answer)]).toEqual([503, 'directory_unavailable']);
    expect(answer.fields['retry-after']).toMatch(/^\d+$/);
    expect(answer.body).not.toContain('no such table');
    expect(upgrade).toMatchObject({
      status: 503,
      fields: { 'x-sandbox-error': 'proxy;directory_unavailable' },
    });
  });

  test('others are served as before, and nothing was left unhandled', async () => {
    expect(await host.status()).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${host.app.port}/alive`)).text()).toBe('yes');
    expect(host.app.output).not.toMatch(/unhandled/i);
  });
});

describe('SessionStore.begin fails while it is asked', () => {
  let host: Host;
  beforeAll(async () => {
    host = await Host.start();
  });
  afterAll(() => host?.stop());

  test.concurrent.each(LINK_FAULTS)('%s: 503 for who opens a link', async (_, mode) => {
    const path = `/?sandbox_link=link-${mode.replace('-', '')}`;
    const answer = await ask(host.place(), { path, withinMs: ANSWERED_WITHIN_MS });
    expect([answer.status, codeOf(answer)]).toEqual([503, 'directory_unavailable']);
    expect(answer.fields).not.toHaveProperty('set-cookie');
  });
});

/** What must make no difference to a request. */
const HARMLESS = [
  'AccessLog.record',
  'ApiKeyStore.noteUse',
  'SandboxRouteCache.get',
  'SandboxRouteCache.set',
].flatMap((method) => ['throws', 'rejects', 'silent'].map((mode) => [method, mode] as const));

describe('what only accompanies a request', () => {
  test.each(HARMLESS)('%s %s: the request goes on', async (method, mode) => {
    const host = await Host.start({ FAULTS: JSON.stringify({ [method]: mode }) });
    expect([await host.status(), await host.status('key-other')]).toEqual([200, 200]);
    // a rejection that nobody handles ends the process a moment later
    expect(await (await fetch(`http://127.0.0.1:${host.app.port}/alive`)).text()).toBe('yes');
    await host.stop();
  });
});

describe('an application that changes something itself', () => {
  test('once `apply` is fulfilled, what the change concerns has ended and is not remembered', async () => {
    const host = await Host.start({
      FAULTS: JSON.stringify({ 'ApiKeyStore.stillHold': 'nonsense-0' }),
      NONSENSE: JSON.stringify({ 'ApiKeyStore.stillHold': [[false]] }),
    });
    const socket = await openSocket(host.place(), { 'X-API-Key': GOOD_KEY });
    expect(await host.post('apply', { kind: 'credential', scheme: 'api-key', subject: GOOD_KEY })).toBe(
      'applied',
    );
    expect((await socket.closed).code).toBe(1008);
    await host.stop();
  });
});

describe('a change feed that fails', () => {
  let host: Host;
  beforeAll(async () => {
    host = await Host.start();
  });
  afterAll(() => host?.stop());

  test('what it tells may be nonsense: what is open goes on, and the next true change counts', async () => {
    const socket = await openSocket(host.place(), { 'X-API-Key': GOOD_KEY });
    const nonsense = [
      'undefined',
      null,
      5,
      'sandbox',
      {},
      { kind: 'unheard-of' },
      { kind: 'sandbox' },
      { kind: 'port' },
    ];
    expect(await host.post('tell', nonsense)).toBe('told');
    await socket.echo('still there');
    expect(await host.status()).toBe(200);
    socket.close();
  });

  test('it cannot say whether it is live: requests are answered, and the process lives', async () => {
    await host.post('feed-breaks');
    expect([200, 503]).toContain(await host.status());
    expect([200, 503]).toContain(await host.status('key-other'));
    expect(await (await fetch(`http://127.0.0.1:${host.app.port}/alive`)).text()).toBe('yes');
  });
});

/** Faults that do not hide each other, and whom the same host lets in meanwhile. */
const LATER = [
  ['stillHold', ['ApiKeyStore.stillHold', 'BearerScheme.stillHold']],
  ['locateMany', ['SandboxDirectory.locateMany']],
] as const;
const LATER_NONSENSE = ['undefined', [], [1]];
const LATER_MODES = ['throws', 'rejects', 'silent', ...LATER_NONSENSE.map((_value, i) => `nonsense-${i}`)];
const LET_IN: readonly Fields[] = [{ 'X-API-Key': GOOD_KEY }, { Authorization: 'Bearer x' }];

/** Asked again after 5 s, tried for 5 s (a silent store has 10 s), and a slow machine's share. */
const CUT_WITHIN_MS = 20_000;

describe.each(LATER)('%s fails when it is asked again about what is open', (_, methods) => {
  test.concurrent.each(LATER_MODES)(
    '%s: what nobody can say is cut with 1013',
    { timeout: 90_000 },
    async (mode) => {
      const host = await Host.start({
        FEED: 'off',
        FAULTS: JSON.stringify(Object.fromEntries(methods.map((method) => [method, mode]))),
        NONSENSE: JSON.stringify(Object.fromEntries(methods.map((method) => [method, LATER_NONSENSE]))),
      });
      const startedAt = performance.now();
      const sockets = await Promise.all(LET_IN.map((fields) => openSocket(host.place(), fields)));
      const closed = await Promise.all(sockets.map((socket) => socket.closed));
      expect(closed.map(({ code }) => code)).toEqual([1013, 1013]);
      expect(performance.now() - startedAt).toBeLessThan(CUT_WITHIN_MS);
      expect(await (await fetch(`http://127.0.0.1:${host.app.port}/alive`)).text()).toBe('yes');
      await host.stop();
    },
  );
});
