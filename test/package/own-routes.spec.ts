import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { AppProcess, type Inspection } from './app-process.js';
import { converse } from './conversation.js';
import { type AppName, APPS } from './foreign-apps.global-setup.js';
import { KEPT_ALIVE, NO_GATEWAY_CASES, OWN_ROUTE_CASES, SLOW_BODY, SLOW_HEAD } from './own-routes.cases.js';

/** The application as it was, and the same with the module: whatever it says must be the same, byte for byte. */
class Twins {
  private constructor(
    readonly without: AppProcess,
    readonly withProxy: AppProcess,
  ) {}

  /** @param variants the application without the module, and with it */
  static async start(
    name: AppName,
    inspection: Inspection = {},
    [before, now]: readonly [string, string] = ['src-without-proxy', 'src'],
  ): Promise<Twins> {
    const start = (variant: string) =>
      AppProcess.start(
        inject('foreignApps')[name],
        `dist/${variant}/${APPS[name].platform}.js`,
        {},
        inspection,
      );
    const [without, withProxy] = await Promise.all([start(before), start(now)]);
    return new Twins(without, withProxy);
  }

  async converse(bytes: string) {
    const [without, withProxy] = await Promise.all([
      converse(this.without.port, bytes),
      converse(this.withProxy.port, bytes),
    ]);
    return { without, withProxy };
  }

  async stop(): Promise<void> {
    await Promise.all([this.without.stop('SIGKILL'), this.withProxy.stop('SIGKILL')]);
  }
}

/** Without what differs from one run to the next: the time, and ids made of random bytes. */
function comparable({ said, ending }: { said: string; ending: string }) {
  return {
    ending,
    said: said
      .replaceAll(/^date: .*$/gim, 'Date: now')
      .replaceAll(/^etag: .*$/gim, 'ETag: some')
      .replaceAll(/vm-[0-9a-f]{12}/g, 'vm-random')
      .split('\r\n'),
  };
}

describe.each(Object.keys(APPS) as AppName[])("the application's own routes: %s", (name) => {
  let twins: Twins;
  beforeAll(async () => {
    twins = await Twins.start(name);
  });
  afterAll(() => twins?.stop());

  test.concurrent.each(Object.entries(OWN_ROUTE_CASES))(
    'answers %s as without the module',
    async (_, aCase) => {
      const { without, withProxy } = await twins.converse(aCase.bytes);
      expect(without.said.split('\r\n')[0]).toBe(aCase[APPS[name].platform]);
      expect(comparable(withProxy)).toEqual(comparable(without));
    },
  );

  test('the server has the settings that it had', async () => {
    const without = await twins.without.settings();
    expect(without).toHaveLength(1);
    expect(await twins.withProxy.settings()).toEqual(without);
  });

  test('SIGTERM ends it as before', async () => {
    const ends = await Twins.start(name);
    const [before, now] = await Promise.all([ends.without.stop(), ends.withProxy.stop()]);
    expect(now).toBe(before);
  });
});

describe.each(['express', 'fastify'] as const)('an application that takes no upgrades: %s', (name) => {
  let twins: Twins;
  beforeAll(async () => {
    // ends the connections
    const settings = { keepAliveTimeout: 1_000 };
    twins = await Twins.start(name, { settings }, ['src-without-gateway-and-proxy', 'src-without-gateway']);
  });
  afterAll(() => twins?.stop());

  test.concurrent.each(Object.entries(NO_GATEWAY_CASES))(
    'answers %s as without the module',
    async (_, aCase) => {
      const { without, withProxy } = await twins.converse(aCase.bytes);
      expect(without.said.split('\r\n')[0]).toBe(aCase[name]);
      expect(comparable(withProxy)).toEqual(comparable(without));
    },
  );
});

describe.each(['express', 'fastify'] as const)(
  'clocks that the application sets after listen(): %s',
  (name) => {
    let twins: Twins;
    beforeAll(async () => {
      const settings = {
        connectionsCheckingInterval: 100,
        requestTimeout: 1_000,
        headersTimeout: 600,
        keepAliveTimeout: 400,
      };
      twins = await Twins.start(name, { settings });
    });
    afterAll(() => twins?.stop());

    test.each([
      ['a body that never ends', SLOW_BODY, 900],
      ['a head that never ends', SLOW_HEAD, 500],
      ['an idle connection', KEPT_ALIVE, 300],
    ])('%s', async (_, bytes, atLeastMs) => {
      const { without, withProxy } = await twins.converse(bytes);
      expect(without.ms).toBeGreaterThan(atLeastMs);
      expect(withProxy.ms).toBeGreaterThan(atLeastMs);
      expect(Math.abs(withProxy.ms - without.ms)).toBeLessThan(2_000);
      expect(comparable(withProxy)).toEqual(comparable(without));
    });
  },
);
