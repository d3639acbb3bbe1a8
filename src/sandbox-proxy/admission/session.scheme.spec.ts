import { beforeEach, describe, expect, it, vi } from 'vitest';
import { askedWith, FakePorts, FakeSessions, sessionOf } from '../../../test/kit/admission-fakes.js';
import { FakeFeed } from '../../../test/kit/answer-fakes.js';
import type { AdmissionRequest } from '../contracts/credential-scheme.js';
import { CrossSiteRequestError, SessionEndedError, TooManyLookupsError } from '../errors.js';
import { PortRulesService } from './port-rules.service.js';
import { SessionScheme } from './session.scheme.js';
import { SessionsService } from './sessions.service.js';
import { StrangerBudget } from './stranger-budget.js';

let store: FakeSessions;
let ports: FakePorts;
let scheme: SessionScheme;

beforeEach(() => {
  store = new FakeSessions();
  store.sessions.set('wrs_1', sessionOf(1));
  store.sessions.set('wrs_2', sessionOf(2));
  ports = new FakePorts();
  const [feed, strangers] = [new FakeFeed(), new StrangerBudget()];
  scheme = new SessionScheme(
    new SessionsService(store, feed, strangers),
    new PortRulesService(ports, feed, strangers),
  );
});

/** The id of the session that a request with this Cookie header is let in by. */
async function admittedBy(
  cookies: string | string[],
  more: Partial<AdmissionRequest> = {},
): Promise<string | null> {
  const asked = askedWith(
    [cookies].flat().flatMap((value) => ['Cookie', value]),
    more,
  );
  const found = scheme.find(asked);
  const admission = found === null ? null : await scheme.admit(found, asked);
  return admission?.session.sessionId ?? null;
}

async function admit() {
  const asked = askedWith(['Cookie', 'sandbox_session=wrs_1', 'Host', '80-cl-x.example.com']);
  const found = scheme.find(asked);
  const admission = found === null ? null : await scheme.admit(found, asked);
  if (admission === null) throw new Error('not admitted');
  return admission;
}

describe('the session of a request', () => {
  it.each<[string | string[], string | null]>([
    ['sandbox_session=wrs_1', 'session-1'],
    ['a=1; sandbox_session=wrs_1; b=2', 'session-1'],
    [['a=1', 'sandbox_session=wrs_1'], 'session-1'],
    ['sandbox_session=wrs_1; sandbox_session=wrs_2', 'session-1'],
    // a neighbour under the same domain may have planted some
    ['sandbox_session=junk; sandbox_session=wrs_9; sandbox_session=wrs_2', 'session-2'],
    [`${'sandbox_session=wrs_9; '.repeat(63)}sandbox_session=wrs_1`, 'session-1'],
    [`${'sandbox_session=wrs_9; '.repeat(64)}sandbox_session=wrs_1`, null],
    ['sandbox_session=', null],
    ['sandbox_sessions=wrs_1', null],
    ['my_sandbox_session=wrs_1', null],
    ['SANDBOX_SESSION=wrs_1', null],
    ['__Host-sandbox_session=wrs_1', null],
    ['a=sandbox_session=wrs_1', null],
    ['wrs_1', null],
    [[], null],
  ])('by plain HTTP with %j is %s', async (cookies, sessionId) => {
    expect(await admittedBy(cookies)).toBe(sessionId);
  });

  it.each<[string, string | null]>([
    ['__Host-sandbox_session=wrs_1', 'session-1'],
    // without the prefix it may be a neighbour's
    ['sandbox_session=wrs_1', null],
    ['sandbox_session=wrs_2; __Host-sandbox_session=wrs_1', 'session-1'],
  ])('by HTTPS with %j is %s', async (cookies, sessionId) => {
    expect(await admittedBy(cookies, { isSecure: true })).toBe(sessionId);
  });

  it('is not looked for where the id has not the form of one', () => {
    expect(scheme.find(askedWith(['Cookie', 'sandbox_session=wrs_1'], { hasValidId: false }))).toBeNull();
  });

  it('never reaches a sandbox: neither its cookies nor its tokens', () => {
    expect(scheme.cookies).toEqual(['__Host-sandbox_session', 'sandbox_session']);
    expect(scheme.pattern).toBe(store.pattern);
  });
});

describe('a cookie whose session has ended', () => {
  const admit = async (...cookies: string[]) =>
    admittedBy(cookies.map((token) => `sandbox_session=${token}`).join('; '));

  it('is told of where no other is good', async () => {
    store.ends.set('wrs_3', 'revoked');
    await expect(admit('wrs_3')).rejects.toThrow('the session has been revoked; ask for a new link');
    await expect(admit('wrs_9', 'wrs_3', 'wrs_8')).rejects.toThrow(SessionEndedError);
    expect(await admit('wrs_3', 'wrs_2')).toBe('session-2');
    expect(await admit('wrs_3', 'wrs_2')).toBe('session-2');
  });

  // A neighbour plants made-up cookies, a flood uses the budget of the visitor's network up: the visitor was out.
  it("that cannot be asked about stands in no other one's way", async () => {
    vi.useFakeTimers();
    expect(await admit('wrs_1')).toBe('session-1');
    for (let i = 0; i < 500; i++) await admit(`wrs_${1_000 + i}`);
    await expect(admit('wrs_9')).rejects.toThrow(TooManyLookupsError);
    expect(await admit('wrs_9', 'wrs_1')).toBe('session-1');
    vi.useRealTimers();
  });
});

describe('an admission by a session', () => {
  it('is of its team, rests on session and link, and ends with it', async () => {
    expect(await admit()).toMatchObject({
      scheme,
      teamId: 'team-a',
      expiresAtMs: 9e15,
      restsOn: [
        { kind: 'credential', scheme: 'session', subject: 'link-1' },
        { kind: 'credential', scheme: 'session', subject: 'session-1' },
      ],
    });
    expect(await admit()).toBe(await admit());
  });

  it('holds as long as the store says so', async () => {
    const admission = await admit();
    expect(await scheme.stillHold([admission])).toEqual([true]);
    store.sessions.clear();
    expect(await scheme.stillHold([admission])).toEqual([false]);
  });

  it('is asked for anew after a change of its link', async () => {
    await admit();
    scheme.forget({ kind: 'credential', scheme: 'session', subject: 'link-1' });
    await admit();
    expect(store.asked).toBe(2);
  });

  it('may not be used by pages of other origins', async () => {
    const admission = await admit();
    const asked = askedWith(['Host', '80-cl-x.example.com', 'Origin', 'https://b.example'], {
      isUpgrade: true,
    });
    expect(scheme.permit(admission, asked, null)).toBeInstanceOf(CrossSiteRequestError);
    expect(scheme.permit(admission, asked, 'https://b.example')).not.toBeInstanceOf(Error);
  });
});

// A WebSocket that a page of another site had opened went on after its origin was taken off the port's CORS list.
describe('an admission by a session, for a page whose origin the port allows', () => {
  const RULES = { teamId: 'team-a', visibility: 'private', cors: ['https://b.example'] } as const;
  const from = (origin: string) =>
    askedWith(['Host', '80-cl-x.example.com', 'Origin', origin], { isUpgrade: true });

  async function listed() {
    const permitted = scheme.permit(await admit(), from('https://b.example'), 'https://b.example');
    if (permitted === null || permitted instanceof Error) throw new Error('not by the list');
    return permitted;
  }

  it('rests on the settings of the port too, and is one for all its requests', async () => {
    expect((await listed()).restsOn).toEqual([
      ...(await admit()).restsOn,
      { kind: 'port', sandboxId: 'cl-x', port: 80 },
    ]);
    expect(await listed()).toBe(await listed());
  });

  it('is the usual one for a page of the sandbox itself, or of an origin that no list names', async () => {
    const own = 'http://80-cl-x.example.com';
    expect(scheme.permit(await admit(), from(own), own)).toBeNull();
    store.sessions.set('wrs_1', { ...sessionOf(1), allowedOrigins: ['https://c.example'] });
    scheme.forget({ kind: 'everything' });
    expect(scheme.permit(await admit(), from('https://c.example'), null)).toBeNull();
  });

  it.each([
    ['holds while the list has the origin', RULES, true],
    ['ends when the list loses it', { ...RULES, cors: ['https://c.example'] }, 'origin'],
    ['ends when CORS is left to the app', { ...RULES, cors: 'app' }, 'origin'],
    ["ends when the settings are another team's", { ...RULES, teamId: 'team-b' }, 'origin'],
    ['ends when the settings are deleted', null, 'origin'],
  ] as const)('%s', async (_what, rules, standing) => {
    if (rules !== null) ports.rules.set('cl-x 80', rules);
    expect(await scheme.stillHold([await admit(), await listed()])).toEqual([true, standing]);
    store.sessions.clear();
    expect(await scheme.stillHold([await listed()])).toEqual([false]);
  });

  it('is remembered for the last hundred origins at most', async () => {
    const admission = await admit();
    const first = await listed();
    for (let i = 0; i < 100; i++) {
      const origin = `https://${i}.example`;
      scheme.permit(admission, from(origin), origin);
    }
    expect(await listed()).not.toBe(first);
  });
});
