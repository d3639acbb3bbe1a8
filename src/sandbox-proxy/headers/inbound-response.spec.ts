import { describe, expect, it } from 'vitest';
import type { ResponseHead } from '../agent-client/response-head.js';
import { SandboxAddress } from '../address/sandbox-address.js';
import { AppAddress } from './app-address.js';
import { CredentialText } from './credential-text.js';
import {
  agentErrorCode,
  clientHeaders,
  isProtocolOffered,
  type ResponseContext,
} from './inbound-response.js';
import { OwnCookies } from './own-cookies.js';

const CONTEXT: ResponseContext = {
  prefix: '/proxy/cl-x/3000',
  authority: '10.0.0.7:5000',
  hostname: '3000-cl-x.localhost',
  clientTakesChunks: true,
  cors: null,
  pages: null,
  origin: undefined,
  cookies: new OwnCookies(['sandbox_session', 'console'], new CredentialText([])),
  requestId: 'id-1',
};
/** What is added where the app has not said it. */
const ID = ['X-Request-Id', 'id-1'];

function head(rawHeaders: string[], more: Partial<ResponseHead> = {}): ResponseHead {
  const base = {
    minorVersion: 1,
    status: 200,
    reason: 'OK',
    framing: 'length',
    contentLength: 0,
    keepAlive: true,
  };
  return { ...base, ...more, rawHeaders } as ResponseHead;
}

describe('the fields that go to the client', () => {
  it('keep order, duplicates, letter case and bytes', () => {
    const raw = [
      'x-B',
      '2',
      'Vary',
      'a',
      'X-A',
      '\u00e9',
      'vary',
      'b',
      'ETag',
      'W/"x"',
      'Content-Length',
      '5',
    ];
    expect(clientHeaders(head(raw), CONTEXT)).toEqual([...raw, ...ID]);
  });

  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Transfer-Encoding',
    'Upgrade',
    'TE',
  ])('are without the hop-by-hop field %s', (name) => {
    expect(clientHeaders(head([name, 'x', 'A', '1']), CONTEXT)).toEqual(['A', '1', ...ID]);
  });

  it('are without those that Connection names, but never without their framing', () => {
    const raw = ['X-Foo', '1', 'Connection', 'close, X-Foo, Content-Length', 'Content-Length', '0', 'B', '2'];
    expect(clientHeaders(head(raw), CONTEXT)).toEqual(['Content-Length', '0', 'B', '2', ...ID]);
  });

  it.each([100, 103, 101, 204])('have no Content-Length in a %i', (status) => {
    const left = clientHeaders(head(['Content-Length', '0'], { status, framing: 'none' }), CONTEXT);
    expect(left).not.toContain('Content-Length');
  });

  it.each([200, 304])('keep the Content-Length that describes a body that is not sent (%i)', (status) => {
    const raw = ['Content-Length', '12'];
    expect(clientHeaders(head(raw, { status, framing: 'none' }), CONTEXT)).toEqual([...raw, ...ID]);
  });

  it('announce trailers only where they can come', () => {
    const raw = ['Trailer', 'X-Sum'];
    expect(clientHeaders(head(raw, { framing: 'chunked' }), CONTEXT)).toEqual([...raw, ...ID]);
    expect(clientHeaders(head(raw), CONTEXT)).toEqual(ID);
    expect(
      clientHeaders(head(raw, { framing: 'chunked' }), { ...CONTEXT, clientTakesChunks: false }),
    ).toEqual(ID);
  });

  it('do not let an app speak in our name', () => {
    const raw = ['X-Sandbox-Error', 'proxy;unauthorized', 'x-sandbox-id', 'y', 'X_Sandbox_Error', 'agent;x'];
    for (const status of [200, 401, 502]) expect(clientHeaders(head(raw, { status }), CONTEXT)).toEqual(ID);
    const agent = ['X-Sandbox-Error', 'agent;port_closed'];
    expect(clientHeaders(head(agent, { status: 200 }), CONTEXT)).toEqual(ID);
    expect(clientHeaders(head(agent, { status: 502 }), CONTEXT)).toEqual([...agent, ...ID]);
  });

  it("have the app's redirect and the app's cookies, each of them, and none for its neighbours", () => {
    const raw = [
      'Location',
      '/proxy/cl-x/3000/login',
      'Set-Cookie',
      'a=1; Domain=localhost; Path=/',

      'set-cookie',
      'b=2',
      'Set-Cookie',
      'sandbox_session=x',
      'Set-Cookie',
      'console=x',
      'Set-Cookie',
      'a=1; Domain=localhost; Path=/',
    ];
    expect(clientHeaders(head(raw), CONTEXT)).toEqual([
      'Location',
      '/login',
      'Set-Cookie',
      'a=1; Path=/',
      'set-cookie',
      'b=2',
      'Set-Cookie',
      'a=1; Path=/',
      ...ID,
    ]);
  });
});

describe('the id of a request', () => {
  it.each([101, 200, 204, 304, 404, 502])('is in every answer: %i', (status) => {
    expect(clientHeaders(head([], { status }), CONTEXT)).toEqual(ID);
  });

  it.each([100, 102, 103])('is not in what comes before the answer: %i', (status) => {
    expect(clientHeaders(head(['Link', '</a>'], { status }), CONTEXT)).toEqual(['Link', '</a>']);
  });

  it.each([
    ['X-Request-Id', 'of-the-app'],
    ['x-REQUEST-id', ''],
    ['X-Request-Id', 'one', 'X-Request-Id', 'two'],
  ])("is the app's own where it has said one, and not doubled: %j", (...raw) => {
    expect(clientHeaders(head(raw), CONTEXT)).toEqual(raw);
  });

  it("is ours where the app's own does not pass", () => {
    const raw = ['Connection', 'close, X-Request-Id', 'X-Request-Id', 'of-the-app'];
    expect(clientHeaders(head(raw), CONTEXT)).toEqual(ID);
  });

  it('is ours where the app has only said something of a similar name', () => {
    expect(clientHeaders(head(['X_Request_Id', 'a']), CONTEXT)).toEqual(['X_Request_Id', 'a', ...ID]);
  });
});

describe('where the proxy answers for the app which pages may read it', () => {
  const APP_CORS = [
    'Access-Control-Allow-Origin',
    '*',
    'access-control-allow-credentials',
    'false',
    'Access-Control-Expose-Headers',
    'X-A',
  ];
  const EXPOSED = APP_CORS.slice(4);

  it("is the app's own word left out, but for what its pages may read of its headers", () => {
    const allowedOrigin = 'https://a.example';
    expect(clientHeaders(head(APP_CORS), { ...CONTEXT, cors: { allowedOrigin } })).toEqual([
      ...EXPOSED,
      'Access-Control-Allow-Origin',
      allowedOrigin,
      'Access-Control-Allow-Credentials',
      'true',
      'Vary',
      'Origin',
      ...ID,
    ]);
    expect(clientHeaders(head(APP_CORS), { ...CONTEXT, cors: { allowedOrigin: null } })).toEqual([
      ...EXPOSED,
      'Vary',
      'Origin',
      ...ID,
    ]);
  });

  it('is nothing touched where it does not', () => {
    expect(clientHeaders(head(APP_CORS), CONTEXT)).toEqual([...APP_CORS, ...ID]);
  });
});

describe('the protocol that a 101 switches to', () => {
  it.each([
    [['Upgrade', 'websocket'], 'websocket', true],
    [['upgrade', 'WebSocket'], 'foo, websocket', true],
    [['Upgrade', 'a, b'], 'b,a', true],
    [['Upgrade', 'a', 'Upgrade', 'c'], 'a, b', false],
    [['Upgrade', 'h2c'], 'websocket', false],
    [['Upgrade', ''], 'websocket', false],
    [['X', 'websocket'], 'websocket', false],
  ])('%j is one that was offered in %j: %s', (raw, offered, isOffered) => {
    expect(isProtocolOffered(head(raw, { status: 101 }), offered)).toBe(isOffered);
  });
});

describe("the agent's own error", () => {
  it.each([
    [502, 'agent;port_closed', true],
    [404, 'agent;no_such_sandbox', true],
    [200, 'agent;port_closed', false],
    [502, 'proxy;upstream_unreachable', false],
    [502, 'agent;', false],
    [502, 'agent;Port Closed', false],
    [502, 'agent;a, proxy;b', false],
    [502, `agent;${'a'.repeat(65)}`, false],
  ])('%i with the mark %s: %s', (status, mark, expected) => {
    expect(agentErrorCode(head(['A', '1', 'x-SANDBOX-error', mark], { status })) !== null).toBe(expected);
  });

  it('is none without the mark', () => {
    expect(agentErrorCode(head(['X-Sandbox-Errors', 'agent;a'], { status: 502 }))).toBeNull();
  });
});

describe('what an app that sees itself as localhost says of itself', () => {
  const ORIGIN = 'http://4000-cl-x.localhost:8000';
  const context: ResponseContext = {
    ...CONTEXT,
    origin: ORIGIN,
    pages: {
      address: new SandboxAddress(3000, 'cl-x', '3000-cl-x.localhost', true, '8000'),
      isSecure: false,
      app: new AppAddress('localhost:{port}'),
      namedByPort: [],
      namedByLink: [],
    },
  };
  const ALLOW = 'access-control-allow-origin';

  it('is what its visitors know: where it redirects to, and whose pages may read', () => {
    const raw = ['Location', 'http://localhost:3000/a', ALLOW, 'http://localhost:4000'];
    expect(clientHeaders(head(raw), context)).toEqual([
      'Location',
      '/a',
      ALLOW,
      ORIGIN,
      'Vary',
      'Origin',
      ...ID,
    ]);
  });

  it.each(['Origin', 'accept-encoding, ORIGIN', '*'])('keeps its own Vary: %s', (vary) => {
    const raw = [ALLOW, 'http://localhost:4000', 'vary', vary];
    expect(clientHeaders(head(raw), context)).toEqual([ALLOW, ORIGIN, 'vary', vary, ...ID]);
  });

  it('allows no other page than the one that it means', () => {
    const raw = [ALLOW, 'http://localhost:5000'];
    expect(clientHeaders(head(raw), context)).toEqual(['Vary', 'Origin', ...ID]);
    const told = [ALLOW, 'http://localhost:5000', 'Vary', 'Origin', ...ID];
    expect(clientHeaders(head(raw), { ...context, origin: undefined })).toEqual(told);
  });

  it('stays as it is where it speaks of others, and where the app sees itself from outside', () => {
    const others = [ALLOW, '*', 'Location', 'https://example.org/'];
    expect(clientHeaders(head(others), context)).toEqual([...others, ...ID]);
    const own = [ALLOW, 'http://localhost:4000', 'Location', 'http://localhost:3000/a'];
    expect(clientHeaders(head(own), { ...context, pages: null })).toEqual([...own, ...ID]);
  });
});
