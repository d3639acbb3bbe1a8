import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askedWith, FakePorts } from '../../../test/kit/admission-fakes.js';
import { FakeFeed } from '../../../test/kit/answer-fakes.js';
import type { Change } from '../contracts/changes.js';
import type { PortRules } from '../contracts/port-settings.js';
import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';
import { PortRulesService } from './port-rules.service.js';
import { PublicPortScheme } from './public-port.scheme.js';
import { StrangerBudget } from './stranger-budget.js';

const PUBLIC: PortRules = { teamId: 'team-a', visibility: 'public', cors: 'app' };
const CLIENT = '192.0.2.1';

let store: FakePorts;
let ports: PortRulesService;
let scheme: PublicPortScheme;

beforeEach(() => {
  vi.useFakeTimers();
  store = new FakePorts();
  store.rules.set('cl-x 80', PUBLIC);
  ports = new PortRulesService(store, new FakeFeed(), new StrangerBudget());
  scheme = new PublicPortScheme(ports);
});

afterEach(() => {
  vi.useRealTimers();
});

/** What is thrown at once as a rejection. */
async function forStranger(port: number, client = CLIENT): Promise<PortRules | null> {
  return ports.findForStranger('cl-x', port, client);
}

async function admit(port: number) {
  const asked = askedWith([], { port });
  const found = scheme.find(asked);
  return found === null ? 'nothing found' : scheme.admit(found, asked);
}

describe('what a team has said of a port', () => {
  it('is asked for once, and then there without a promise', async () => {
    expect(await ports.find('cl-x', 80, 'team-a')).toEqual(PUBLIC);
    expect(ports.find('cl-x', 80, 'team-a')).toEqual(PUBLIC);
    expect(ports.findForStranger('cl-x', 80, CLIENT)).toEqual(PUBLIC);
    expect(store.asked).toBe(1);
  });

  it('is remembered for clients with a credential also where it is nothing, and for others for 2 s', async () => {
    expect(await ports.find('cl-x', 81, 'team-a')).toBeNull();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(ports.find('cl-x', 81, 'team-a')).toBeNull();
    expect(store.asked).toBe(1);
    expect(await forStranger(81)).toBeNull();
    expect(store.asked).toBe(2);
    await vi.advanceTimersByTimeAsync(119_000);
    expect(ports.find('cl-x', 81, 'team-a')).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ports.find('cl-x', 81, 'team-a')).toBeInstanceOf(Promise);
  });

  it('is asked for one team 50 times at a time, since anybody can make sandboxes up', async () => {
    const open = store.hold();
    const asked = Array.from({ length: 60 }, (_, i) => ports.find(`cl-${i}`, 80, 'team-a'));
    expect(store.asked).toBe(50);
    const other = ports.find('cl-x', 80, 'team-b');
    expect(store.asked).toBe(51);
    open();
    expect(await other).toEqual(PUBLIC);
    await Promise.all(asked);
    expect(store.asked).toBe(61);
  });

  it.each<[string, Change, boolean]>([
    ['the port', { kind: 'port', sandboxId: 'cl-x', port: 80 }, true],
    ['the sandbox', { kind: 'sandbox', sandboxId: 'cl-x' }, true],
    ['the team', { kind: 'team', teamId: 'team-a' }, true],
    ['everything', { kind: 'everything' }, true],
    ['another port', { kind: 'port', sandboxId: 'cl-x', port: 81 }, false],
    ['that port of another sandbox', { kind: 'port', sandboxId: 'cl-y', port: 80 }, false],
  ])('is asked for again after a change of %s', async (_what, change, isForgotten) => {
    await ports.find('cl-x', 80, 'team-a');
    ports.forget(change);
    await ports.find('cl-x', 80, 'team-a');
    expect(store.asked).toBe(isForgotten ? 2 : 1);
  });

  it.each<[unknown]>([
    [undefined],
    [{ ...PUBLIC, visibility: 'open' }],
    [{ ...PUBLIC, cors: '*' }],
    [{ ...PUBLIC, cors: [7] }],
    [{ ...PUBLIC, teamId: null }],
  ])('is not known where the store answers %j', async (answer) => {
    store.instead = answer;
    await expect(ports.find('cl-x', 80, 'team-a')).rejects.toThrow(DirectoryUnavailableError);
  });

  it('is not asked for by a stranger who has asked for too many; those who are known go on', async () => {
    await ports.find('cl-x', 80, 'team-a');
    for (let port = 1_000; port < 1_500; port++) await forStranger(port);
    await expect(forStranger(2_000)).rejects.toThrow(TooManyLookupsError);
    expect(await forStranger(80)).toEqual(PUBLIC);
    expect(await forStranger(2_000, '192.0.2.2')).toBeNull();
    expect(await ports.find('cl-x', 3_000, 'team-a')).toBeNull();
  });

  it('is nothing where the application has no settings of ports', async () => {
    const off = new PortRulesService(null, new FakeFeed(), new StrangerBudget());
    expect([off.isOff, off.find('cl-x', 80, 'team-a'), off.findForStranger('cl-x', 80, CLIENT)]).toEqual([
      true,
      null,
      null,
    ]);
    expect(await off.arePublic([{ sandboxId: 'cl-x', port: 80 }])).toEqual([false]);
    expect(new PublicPortScheme(off).find(askedWith([]))).toBeNull();
  });
});

describe('whether ports are public still', () => {
  const places = [80, 81, 82].map((port) => ({ sandboxId: 'cl-x', port }));

  it('is asked past every memory, and known by place', async () => {
    await ports.find('cl-x', 80, 'team-a');
    store.rules.delete('cl-x 80');
    store.rules.set('cl-x 81', PUBLIC);
    store.rules.set('cl-x 82', { ...PUBLIC, visibility: 'private' });
    expect(await ports.arePublic(places)).toEqual([false, true, false]);
  });

  // Taken for a "no", it would end what is open with a wrong word.
  it.each<[unknown]>([[undefined], ['x'], [[PUBLIC]], [[PUBLIC, {}, null]], [[PUBLIC, undefined, null]]])(
    'is not known where the store answers %j',
    async (answer) => {
      store.insteadOfMany = answer;
      await expect(ports.arePublic(places)).rejects.toThrow(TypeError);
    },
  );
});

describe('an admission by a public port', () => {
  it('is of the team of the port, and rests on its settings', async () => {
    expect(await admit(80)).toMatchObject({
      scheme,
      teamId: 'team-a',
      restsOn: [{ kind: 'port', sandboxId: 'cl-x', port: 80 }],
    });
    expect(await admit(80)).toBe(await admit(80));
  });

  it('is none where the port is private, or nothing has been said of it', async () => {
    store.rules.set('cl-x 81', { ...PUBLIC, visibility: 'private' });
    expect([await admit(81), await admit(82)]).toEqual([null, null]);
  });

  it('is not looked for where the id has not the form of one', () => {
    expect(scheme.find(askedWith([], { hasValidId: false }))).toBeNull();
  });

  it('holds as long as the port is public', async () => {
    const admission = await admit(80);
    if (admission === null || typeof admission === 'string') throw new Error('not admitted');
    expect(await scheme.stillHold([admission])).toEqual([true]);
    store.rules.set('cl-x 80', { ...PUBLIC, visibility: 'private' });
    expect(await scheme.stillHold([admission])).toEqual([false]);
  });
});
