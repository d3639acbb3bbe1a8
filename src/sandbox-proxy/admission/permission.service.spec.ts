import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { askedWith, FakePorts, sessionOf } from '../../../test/kit/admission-fakes.js';
import { FakeFeed } from '../../../test/kit/answer-fakes.js';
import { FakeScheme } from '../../../test/kit/open-fakes.js';
import type { Admission, AdmissionRequest } from '../contracts/credential-scheme.js';
import type { PortRules } from '../contracts/port-settings.js';
import { CrossSiteRequestError, DirectoryUnavailableError } from '../errors.js';
import { Exchange } from '../exchange/exchange.js';
import { PermissionService } from './permission.service.js';
import { PortRulesService } from './port-rules.service.js';
import { PublicPortScheme } from './public-port.scheme.js';
import { refusalOfSessionUse } from './session-use.js';
import { StrangerBudget } from './stranger-budget.js';

const ORIGIN = 'https://app.example.org';
const RULES: PortRules = { teamId: 'team-a', visibility: 'private', cors: 'app' };

/** Uses of it are judged like those of a session. */
class SessionLike extends FakeScheme {
  override permit(_admission: Admission, request: AdmissionRequest, allowedOrigin: string | null) {
    return refusalOfSessionUse(sessionOf(1), request, allowedOrigin);
  }
}

const key: Admission = new FakeScheme('key').admission('k', 'team-a');
const session: Admission = new SessionLike('session').admission('s', 'team-a');

let store: FakePorts;
let permission: PermissionService;
let exchange: Exchange;

beforeEach(() => {
  store = new FakePorts();
  const ports = new PortRulesService(store, new FakeFeed(), new StrangerBudget());
  permission = new PermissionService(ports, new PublicPortScheme(ports));
  const request = new IncomingMessage(new Socket());
  const peer = { address: '192.0.2.1', isTrusted: false, proto: 'http' } as const;
  exchange = new Exchange(
    'id-1',
    request,
    new ServerResponse(request),
    null,
    peer,
    peer.address,
    null,
    false,
  );
});

/** The name of the scheme by which the request goes on; what is thrown at once as a rejection. */
async function permit(admission: Admission, origin: string | null, more: Partial<AdmissionRequest> = {}) {
  const headers = ['Host', '80-cl-x.example.com', ...(origin === null ? [] : ['Origin', origin])];
  const permitted = await permission.permit(
    exchange,
    askedWith(headers, { isUpgrade: true, ...more }),
    admission,
  );
  return permitted.scheme.name;
}

describe('a use of an admission', () => {
  it('is permitted without a promise once memory knows the port, also that nothing is set for it', async () => {
    const asked = askedWith(['Host', '80-cl-x.example.com']);
    expect(await permission.permit(exchange, asked, session)).toBe(session);
    expect(permission.permit(exchange, asked, session)).toBe(session);
    expect([store.asked, exchange.cors, exchange.rules]).toEqual([1, null, null]);
  });

  it('comes with what the team has set for the port', async () => {
    const rules = { ...RULES, appHost: 'external' as const };
    store.rules.set('cl-x 80', rules);
    expect(await permit(key, null)).toBe('key');
    expect(exchange.rules).toEqual(rules);
  });

  it('is the scheme’s to permit', async () => {
    expect(await permit(key, ORIGIN)).toBe('key');
    await expect(permit(session, ORIGIN)).rejects.toThrow(CrossSiteRequestError);
  });

  it('is permitted to a page of an origin that the team has named for the port', async () => {
    store.rules.set('cl-x 80', { ...RULES, cors: [ORIGIN] });
    expect(await permit(session, ORIGIN)).toBe('session');
    expect(exchange.cors).toEqual({ allowedOrigin: ORIGIN });
    await expect(permit(session, 'https://other.example')).rejects.toThrow(CrossSiteRequestError);
    expect(exchange.cors).toEqual({ allowedOrigin: null });
  });

  it('goes by nothing that another team has said of the port: the sandbox has changed hands', async () => {
    store.rules.set('cl-x 80', { ...RULES, teamId: 'team-b', cors: [ORIGIN], appHost: 'external' });
    await expect(permit(session, ORIGIN)).rejects.toThrow(CrossSiteRequestError);
    expect([exchange.cors, exchange.rules]).toEqual([null, null]);
  });

  it('is that of anybody where the port is public: who has a session may do no less', async () => {
    store.rules.set('cl-x 80', { ...RULES, visibility: 'public' });
    expect(await permit(session, ORIGIN)).toBe('public-port');
    expect(exchange.cors).toBeNull();
    store.rules.set('cl-x 81', { ...RULES, visibility: 'public', cors: ['https://other.example'] });
    expect(await permit(session, ORIGIN, { port: 81 })).toBe('public-port');
    expect(exchange.cors).toEqual({ allowedOrigin: null });
  });

  it('is that of anybody where the port is public and another team’s: who has a key may do no less', async () => {
    const rules: PortRules = { teamId: 'team-b', visibility: 'public', cors: [ORIGIN] };
    store.rules.set('cl-x 80', rules);
    expect(await permit(key, ORIGIN)).toBe('public-port');
    expect([exchange.cors, exchange.rules]).toEqual([{ allowedOrigin: ORIGIN }, rules]);
    store.rules.set('cl-x 81', { ...rules, visibility: 'private' });
    expect(await permit(key, ORIGIN, { port: 81 })).toBe('key');
    expect([exchange.cors, exchange.rules]).toEqual([null, null]);
  });

  it('is asked about for no id that has not the form of one', async () => {
    expect(await permit(key, ORIGIN, { hasValidId: false })).toBe('key');
    expect(store.asked).toBe(0);
  });

  it('is not permitted where nobody can say', async () => {
    store.instead = 'nonsense';
    await expect(permit(key, ORIGIN)).rejects.toThrow(DirectoryUnavailableError);
  });
});
