import { beforeEach, describe, expect, it } from 'vitest';
import { askedWith, FakeApiKeys, keyOf } from '../../../test/kit/admission-fakes.js';
import { FakeFeed } from '../../../test/kit/answer-fakes.js';
import { SANDBOX_PROXY_DEFAULTS } from '../options.js';
import { ApiKeyScheme } from './api-key.scheme.js';
import { ApiKeyService } from './api-key.service.js';

const KEY = keyOf(1);

let store: FakeApiKeys;
let scheme: ApiKeyScheme;

beforeEach(() => {
  store = new FakeApiKeys();
  store.rows.set('digest of 1', { keyId: 'key-a', teamId: 'team-a' });
  scheme = new ApiKeyScheme(new ApiKeyService(store, new FakeFeed(), SANDBOX_PROXY_DEFAULTS), store);
});

async function admit(key = KEY) {
  return scheme.admit({ secret: key, header: 'x-api-key' }, askedWith([]));
}

describe('the API key of a request', () => {
  it.each<[string[], string | null]>([
    [['X-API-Key', KEY], KEY],
    [['x-api-KEY', KEY], KEY],
    [['X-API-Key', 'theirs', 'X-API-Key', KEY], KEY],
    [['X-API-Key', KEY, 'X-API-Key', 'theirs'], KEY],
    [['X-API-Key', KEY, 'X-API-Key', keyOf(2)], KEY],
    [['X-API-Key', '', 'X-API-Key', KEY], KEY],
    [['X-API-Key', 'theirs'], 'theirs'],
    [['X-API-Key', ''], ''],
    [['X_API_Key', KEY], null],
    [['X-API-Keys', KEY, 'Accept', KEY], null],
    [[], null],
  ])('of %j is %j', (rawHeaders, key) => {
    const found = key === null ? null : { secret: key, header: 'x-api-key' };
    expect(scheme.find(askedWith(rawHeaders))).toEqual(found);
    expect(scheme.find(askedWith(rawHeaders))).toEqual(found);
  });

  it('never reaches a sandbox, in the form that the store says', () => {
    expect(scheme.pattern).toBe(store.pattern);
    expect(scheme.cookies).toEqual([]);
  });
});

describe('an admission by a key', () => {
  it('is of its team, and rests on the key', async () => {
    expect(await admit()).toMatchObject({
      scheme,
      teamId: 'team-a',
      restsOn: [{ kind: 'credential', scheme: 'api-key', subject: 'digest of 1' }],
    });
  });

  it('is none by an unknown key, or by a text that is none', async () => {
    expect([await admit(keyOf(2)), await admit('theirs'), await admit('')]).toEqual([null, null, null]);
  });

  it('is one and the same, and without a promise, as long as memory has the key', async () => {
    const first = await admit();
    expect(scheme.admit({ secret: KEY, header: null }, askedWith([]))).toBe(first);
    scheme.forget({ kind: 'team', teamId: 'team-a' });
    expect(await admit()).not.toBe(first);
  });

  it('is looked up for the network of its client', async () => {
    const from = (client: string) => askedWith([], { client });
    const outcomes: Promise<unknown>[] = [];
    const open = store.hold();
    for (let i = 0; i < 60; i++)
      outcomes.push(
        Promise.resolve(scheme.admit({ secret: keyOf(100 + i), header: null }, from('10.0.0.1'))),
      );
    expect(store.asked).toHaveLength(50);
    outcomes.push(Promise.resolve(scheme.admit({ secret: KEY, header: null }, from('10.0.0.2'))));
    expect(store.asked).toHaveLength(51);
    open();
    expect((await Promise.all(outcomes)).at(-1)).toMatchObject({ teamId: 'team-a' });
  });

  it('holds as long as the store says so', async () => {
    const admission = await admit();
    if (admission === null) throw new Error('the key was not admitted');
    expect(await scheme.stillHold([admission, admission])).toEqual([true, true]);
    store.rows.set('digest of 1', { keyId: 'key-a', teamId: 'team-b' });
    expect(await scheme.stillHold([admission])).toEqual([false]);
  });
});
