import { describe, expect, it } from 'vitest';
import type { ResponseHead } from '../agent-client/response-parser.js';
import { agentErrorCode, clientHeaders, type ResponseContext } from './inbound-response.js';

const CONTEXT: ResponseContext = {
  prefix: '/proxy/cl-x/3000',
  authority: '10.0.0.7:5000',
  hostname: '3000-cl-x.localhost',
  clientTakesChunks: true,
  cors: null,
};

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
    expect(clientHeaders(head(raw), CONTEXT)).toEqual(raw);
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
    expect(clientHeaders(head([name, 'x', 'A', '1']), CONTEXT)).toEqual(['A', '1']);
  });

  it('are without those that Connection names, but never without their framing', () => {
    const raw = ['X-Foo', '1', 'Connection', 'close, X-Foo, Content-Length', 'Content-Length', '0', 'B', '2'];
    expect(clientHeaders(head(raw), CONTEXT)).toEqual(['Content-Length', '0', 'B', '2']);
  });

  it.each([100, 103, 101, 204])('have no Content-Length in a %i', (status) => {
    expect(clientHeaders(head(['Content-Length', '0'], { status, framing: 'none' }), CONTEXT)).toEqual([]);
  });

  it.each([200, 304])('keep the Content-Length that describes a body that is not sent (%i)', (status) => {
    const raw = ['Content-Length', '12'];
    expect(clientHeaders(head(raw, { status, framing: 'none' }), CONTEXT)).toEqual(raw);
  });

  it('announce trailers only where they can come', () => {
    const raw = ['Trailer', 'X-Sum'];
    expect(clientHeaders(head(raw, { framing: 'chunked' }), CONTEXT)).toEqual(raw);
    expect(clientHeaders(head(raw), CONTEXT)).toEqual([]);
    expect(
      clientHeaders(head(raw, { framing: 'chunked' }), { ...CONTEXT, clientTakesChunks: false }),
    ).toEqual([]);
  });

  it('do not let an app speak in our name', () => {
    const raw = ['X-Sandbox-Error', 'proxy;unauthorized', 'x-sandbox-id', 'y', 'X_Sandbox_Error', 'agent;x'];
    for (const status of [200, 401, 502]) expect(clientHeaders(head(raw, { status }), CONTEXT)).toEqual([]);
    const agent = ['X-Sandbox-Error', 'agent;port_closed'];
    expect(clientHeaders(head(agent, { status: 200 }), CONTEXT)).toEqual([]);
    expect(clientHeaders(head(agent, { status: 502 }), CONTEXT)).toEqual(agent);
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
    ]);
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
