import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeApiKeys, FakePorts, keyOf } from '../../test/kit/admission-fakes.js';
import { FakeFeed, Gate } from '../../test/kit/answer-fakes.js';
import { Asked } from '../../test/kit/asked.js';
import { collectNestLog } from '../../test/kit/collecting-logger.js';
import { FakePlaces } from '../../test/kit/open-fakes.js';
import { HostHeaders } from './address/host-header.js';
import { SandboxAddress, SandboxHostNames } from './address/sandbox-address.js';
import { AdmissionService } from './admission/admission.service.js';
import { ApiKeyScheme } from './admission/api-key.scheme.js';
import { ApiKeyService } from './admission/api-key.service.js';
import { BrowserAccess } from './admission/browser-access.js';
import { PermissionService } from './admission/permission.service.js';
import { PortRulesService } from './admission/port-rules.service.js';
import { PublicPortScheme } from './admission/public-port.scheme.js';
import { SessionsService } from './admission/sessions.service.js';
import { StrangerBudget } from './admission/stranger-budget.js';
import { HostClientPool } from './agent-client/host-client-pool.js';
import type { SandboxLocation } from './contracts/sandbox-directory.js';
import { Base36SandboxIds } from './contracts/sandbox-ids.js';
import { RequestHandler } from './handle-request.js';
import { OpenAccess } from './open-access/open-access.js';
import { SandboxChanges } from './open-access/sandbox-changes.service.js';
import { SANDBOX_PROXY_DEFAULTS } from './options.js';
import type { Relay } from './relay/relay.service.js';
import { MemorySandboxRouteCache } from './routing/sandbox-route-cache.js';
import { SandboxResolverService } from './routing/sandbox-resolver.service.js';

const ID = 'cl-0000000000000000000000001';
const KEY = { 'X-API-Key': keyOf(1) };
const RUNNING: SandboxLocation = { status: 'running', address: '10.0.0.1:5000', hostId: 'host-1' };

/** Notes what it was asked to do. */
class FakeRelay {
  readonly started: Parameters<Relay['start']>[] = [];
  start(...parameters: Parameters<Relay['start']>): void {
    this.started.push(parameters);
  }
}

/** A directory whose answers can be held back. */
class HeldPlaces extends FakePlaces {
  readonly located: string[] = [];
  gate: Promise<void> | null = null;
  override async locate(sandboxId: string, teamId: string): Promise<SandboxLocation | null> {
    this.located.push(sandboxId);
    const place = await super.locate(sandboxId, teamId);
    await this.gate;
    return place;
  }
}

const log = collectNestLog();
let keys: FakeApiKeys;
let ports: FakePorts;
let places: HeldPlaces;
let relay: FakeRelay;
let access: OpenAccess;
let pool: HostClientPool;
let changes: SandboxChanges;
let handler: RequestHandler;

beforeEach(() => {
  vi.useFakeTimers();
  keys = new FakeApiKeys();
  keys.rows.set('digest of 1', { keyId: 'key-1', teamId: 'team-a' });
  ports = new FakePorts();
  places = new HeldPlaces();
  relay = new FakeRelay();
  access = new OpenAccess();
  const feed = new FakeFeed();
  const strangers = new StrangerBudget();
  const rules = new PortRulesService(ports, feed, strangers);
  const publicPorts = new PublicPortScheme(rules);
  const apiKeys = new ApiKeyScheme(new ApiKeyService(keys, feed, SANDBOX_PROXY_DEFAULTS), keys);
  const admission = new AdmissionService([apiKeys, publicPorts]);
  const resolver = new SandboxResolverService(
    places,
    new MemorySandboxRouteCache(10),
    feed,
    SANDBOX_PROXY_DEFAULTS,
  );
  pool = new HostClientPool(SANDBOX_PROXY_DEFAULTS);
  changes = new SandboxChanges(admission, rules, resolver, pool, places, feed, access);
  const ids = new Base36SandboxIds();
  handler = new RequestHandler(
    new HostHeaders(new SandboxHostNames(ids, [])),
    ids,
    new BrowserAccess(new SessionsService(null, feed, strangers), rules, { brand: '' }),
    admission,
    new PermissionService(rules, publicPorts),
    changes,
    resolver,
    relay as unknown as Relay,
    SANDBOX_PROXY_DEFAULTS,
  );
});
afterEach(() => {
  pool.onApplicationShutdown();
  vi.useRealTimers();
});

const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

/** Puts a request on its way. */
function handle(headers: Readonly<Record<string, string>>, { id = ID, method = 'GET' } = {}): Asked {
  const host = `3000-${id}.localhost`;
  const isWellFormed = new Base36SandboxIds().isWellFormed(id);
  const asked = new Asked(
    { Host: host, host, ...headers },
    method,
    new SandboxAddress(3000, id, host, isWellFormed),
  );
  handler.handle(asked.exchange, asked.address);
  return asked;
}

/** What it was answered: `404 sandbox_not_found`; or that it went on to the sandbox. */
function outcomeOf({ exchange, status, answers }: Asked): string {
  if (answers > 0) return `${status} ${exchange.errorCode}`;
  return relay.started.some(([started]) => started === exchange) ? 'relayed' : 'waits';
}

describe('the way of a request', () => {
  it('ends at its sandbox, without a promise once memory has everything', async () => {
    const first = handle(KEY);
    expect(outcomeOf(first)).toBe('waits');
    await pass();
    expect(outcomeOf(first)).toBe('relayed');
    expect(first.exchange).toMatchObject({ teamId: 'team-a', openAt: 'host-1', errorCode: null });
    expect(outcomeOf(handle(KEY))).toBe('relayed');
    expect([keys.asked, places.located]).toEqual([['digest of 1'], [ID]]);
    expect(access.size).toBe(2);
  });

  it('leads there once, however many steps it waits at', async () => {
    ports.rules.set(`${ID} 3000`, { teamId: 'team-a', visibility: 'public', cors: 'app' });
    for (const headers of [KEY, { Origin: 'https://a.example' }, { ...KEY, Origin: 'https://a.example' }]) {
      const asked = handle(headers);
      await pass();
      expect(relay.started.filter(([exchange]) => exchange === asked.exchange)).toHaveLength(1);
      expect(asked.answers).toBe(0);
    }
  });

  it.each<[string, Record<string, string>, SandboxLocation | null | undefined, string]>([
    ['without a credential', {}, RUNNING, '401 unauthorized'],
    ['with an unknown key', { 'X-API-Key': keyOf(2) }, RUNNING, '401 unauthorized'],
    ['to no sandbox of the team', KEY, null, '404 sandbox_not_found'],
    ['to one that is paused', KEY, { ...RUNNING, status: 'paused' }, '409 sandbox_not_running'],
  ])('%s ends before', async (_what, headers, place, outcome) => {
    places.places.set(`${ID}/team-a`, place ?? null);
    const asked = handle(headers);
    await pass();
    expect(outcomeOf(asked)).toBe(outcome);
    expect(relay.started).toEqual([]);
  });

  it.each(['cl-x', `cl-${'z'.repeat(25)}`, `${ID}0`])(
    'never asks about an id that is none, and tells that only those who are admitted: %s',
    async (id) => {
      const asked = [handle({}, { id }), handle(KEY, { id })];
      await pass();
      expect(asked.map(outcomeOf)).toEqual(['401 unauthorized', '400 invalid_sandbox_id']);
      expect(asked[1]?.body).toContain('25 characters 0-9a-z');
      expect([places.located, ports.asked]).toEqual([[], 0]);
    },
  );

  // the app of one team would get the token of another
  it('goes to a public port of another team without the credential that had admitted it', async () => {
    ports.rules.set(`${ID} 3000`, { teamId: 'team-b', visibility: 'public', cors: 'app' });
    handle(KEY);
    await pass();
    const [[exchange, , admission, consumed] = []] = relay.started;
    expect([exchange?.teamId, admission?.scheme.name]).toEqual(['team-b', 'public-port']);
    expect(consumed).toEqual({ secret: keyOf(1), header: 'x-api-key' });
  });

  it('asks the directory for nobody who is not admitted', async () => {
    handle({});
    handle({ 'X-API-Key': keyOf(2) });
    await pass();
    expect(places.located).toEqual([]);
  });

  it('is answered 503 where a store cannot say', async () => {
    keys.failure = new Error('away');
    const asked = handle(KEY);
    await pass();
    expect(outcomeOf(asked)).toBe('503 directory_unavailable');
  });

  it('is answered where a later step throws: nothing is left to hang', async () => {
    relay.start = () => {
      throw new RangeError('unforeseen');
    };
    const asked = handle(KEY);
    await pass();
    expect(outcomeOf(asked)).toBe('500 internal_error');
    expect(log.lines).toEqual(['error: proxying id-1 failed: RangeError: unforeseen']);
  });
});

describe('while a request waits', () => {
  it('and its client leaves, it goes no further', async () => {
    const gate = new Gate();
    places.gate = gate.opened;
    const asked = handle(KEY);
    await pass();
    asked.request.socket.destroy();
    gate.open();
    await pass();
    expect([outcomeOf(asked), asked.exchange.errorCode]).toEqual(['waits', 'client_closed']);
  });

  it('and its key is deleted, it is answered so', async () => {
    const gate = new Gate();
    places.gate = gate.opened;
    const asked = handle(KEY);
    await pass(10);
    keys.rows.clear();
    await changes.apply({ kind: 'credential', scheme: 'api-key', subject: 'digest of 1' });
    gate.open();
    await pass();
    expect(outcomeOf(asked)).toBe('401 revoked');
    expect(asked.body).toContain('access has been revoked');
  });

  it('and its sandbox moves, it does not stay at the old host', async () => {
    const gate = new Gate();
    places.gate = gate.opened;
    const asked = handle(KEY);
    await pass(10);
    places.places.set(`${ID}/team-a`, { ...RUNNING, hostId: 'host-2' });
    await changes.apply({ kind: 'sandbox', sandboxId: ID });
    expect(asked.exchange.wasCut).toBeNull();
    gate.open();
    await pass();
    expect(asked.exchange.openAt).toBe('host-1');
    expect(asked.exchange.wasCut?.error.code).toBe('host_unavailable');
  });
});
