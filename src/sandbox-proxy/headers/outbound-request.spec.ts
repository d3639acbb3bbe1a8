import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError } from '../errors.js';
import { SandboxAddress } from '../address/sandbox-address.js';
import { AppAddress } from './app-address.js';
import { CredentialText } from './credential-text.js';
import type { HeaderPolicy } from './header-policy.js';
import { type OutboundHead, outboundHead } from './outbound-request.js';
import { OwnCookies } from './own-cookies.js';
import type { OwnPages } from './own-pages.js';

const KEY = `wrn_${'a'.repeat(32)}`;
const BASE: OutboundHead = {
  method: 'GET',
  target: '/proxy/cl-x/3000/a?b',
  authority: '10.0.0.7:5000',
  rawHeaders: [],
  framing: 'none',
  isPeerTrusted: false,
  peerAddress: '192.0.2.1',
  host: '3000-cl-x.localhost:8000',
  pages: null,
  externalOrigin: 'http://3000-cl-x.localhost:8000',
  requestId: 'id-1',
  upgrade: null,
  keepsExpect: false,
  consumed: null,
};
const credentials = new CredentialText([/wrn_[0-9a-f]{32}/]);
const POLICY: HeaderPolicy = {
  credentials,
  cookies: new OwnCookies(['__Host-sandbox_session', 'sandbox_session', 'console'], credentials),
  agentToken: null,
  app: new AppAddress('localhost:{port}'),
};
const OWN = [
  'X-Forwarded-For: 192.0.2.1',
  'X-Forwarded-Host: 3000-cl-x.localhost:8000',
  'X-Forwarded-Proto: http',
  'X-Sandbox-App-Host: external',
  'X-Request-Id: id-1',
  'X-Sandbox-Url: http://3000-cl-x.localhost:8000',
];

/** The field lines that leave, without the request line and our Host. */
function lines(rawHeaders: readonly string[], more: Partial<OutboundHead> = {}): string[] {
  const [requestLine, host, ...rest] = outboundHead({ ...BASE, ...more, rawHeaders }, POLICY).split('\r\n');
  expect([requestLine, host]).toEqual(['GET /proxy/cl-x/3000/a?b HTTP/1.1', 'Host: 10.0.0.7:5000']);
  expect(rest.splice(-2)).toEqual(['', '']);
  return rest;
}

/** The same without what we set ourselves. */
function passed(rawHeaders: readonly string[], more: Partial<OutboundHead> = {}): string[] {
  return lines(rawHeaders, more).filter(
    (line) => !/^X-(Forwarded-(For|Host|Proto)|Request-Id|Sandbox-(App-Host|Url)): /.test(line),
  );
}

describe('the head towards the agent', () => {
  it('is the request line, the agent as Host, what passes, and what we set', () => {
    expect(lines(['Host', '3000-cl-x.localhost:8000', 'Accept', '*/*'])).toEqual(['Accept: */*', ...OWN]);
  });

  it('keeps order, duplicates, letter case and bytes of what passes', () => {
    const raw = ['aCCept', 'a', 'X-Two', '1', 'x-one', '\u00e9\u00ff\t "', 'X-Two', '2', 'X-Empty', ''];
    expect(passed(raw)).toEqual([
      'aCCept: a',
      'X-Two: 1',
      'x-one: \u00e9\u00ff\t "',
      'X-Two: 2',
      'X-Empty: ',
    ]);
  });

  it.each([
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'Upgrade',
    'Connection',
    'HTTP2-Settings',
  ])('has no hop-by-hop field %s', (name) => {
    expect(passed([name, 'x', 'A', '1', name.toUpperCase(), 'y'])).toEqual(['A: 1']);
  });

  it('has no field that Connection names, whichever stands first', () => {
    const raw = [
      'X-Foo',
      '1',
      'Connection',
      'close, x-FOO',
      'x-foo',
      '2',
      'connection',
      'Cookie',
      'Cookie',
      'a=1',
      'B',
      '3',
    ];
    expect(passed(raw)).toEqual(['B: 3']);
  });

  it('cannot be robbed of what the proxy sets, or of the framing, by a Connection header (CVE-2021-33197)', () => {
    const names = 'Host, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Request-Id, Content-Length';
    expect(lines(['Connection', names, 'Content-Length', '3'], { framing: 'length' })).toEqual([
      'Content-Length: 3',
      ...OWN,
    ]);
    expect(
      lines(['Connection', 'transfer-encoding', 'Transfer-Encoding', 'chunked'], { framing: 'chunked' }),
    ).toEqual(['Transfer-Encoding: chunked', ...OWN]);
  });

  it('says the framing that the body has, and no other', () => {
    const raw = ['Content-Length', '3', 'Transfer-Encoding', 'CHUNKED', 'Trailer', 'X-Sum'];
    expect(passed(raw, { framing: 'none' })).toEqual([]);
    expect(passed(raw, { framing: 'length' })).toEqual(['Content-Length: 3']);
    expect(passed(raw, { framing: 'chunked' })).toEqual(['Transfer-Encoding: chunked', 'Trailer: X-Sum']);
  });

  it('carries of TE only "trailers"', () => {
    expect(passed(['TE', 'trailers, deflate;q=0.5'])).toEqual(['TE: trailers']);
    expect(passed(['TE', 'gzip', 'te', 'x-trailers'])).toEqual([]);
  });

  it('carries Expect only where the body can wait', () => {
    expect(passed(['Expect', '100-continue'], { keepsExpect: true })).toEqual(['Expect: 100-continue']);
    expect(passed(['Expect', '100-continue'])).toEqual([]);
  });

  it('asks for the upgrade itself', () => {
    const raw = ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', 'x'];
    expect(lines(raw, { upgrade: 'websocket' })).toEqual([
      'Sec-WebSocket-Key: x',
      ...OWN,
      'Connection: Upgrade',
      'Upgrade: websocket',
    ]);
  });
});

describe('credentials', () => {
  it.each([
    ['X-API-Key', KEY],
    ['x_api_key', KEY],
    ['X-Api-Key', `${KEY.toUpperCase()} `],
    ['X-API-KEY', 'wrn_short'],
    ['Authorization', `Bearer ${KEY}`],
    ['X-Any-Name', KEY],
    ['Cookie', `key=${KEY}`],
    ['Cookie', 'sandbox_session=s'],
    ['Cookie', '__Host-sandbox_session=s; SANDBOX_SESSION=t'],
    ['Cookie', 'Console=s'],
    [`X-${KEY}`, '1'],
    ['X-Any-Name', KEY.replace('w', '%77')],
  ])('of the platform do not leave: %s: %s', (name, value) => {
    expect(passed([name, value])).toEqual([]);
  });

  it.each([
    ['X-API-Key', 'an-app-of-its-own'],
    ['Authorization', 'Bearer app-token'],
    ['Cookie', 'a=1; sandbox_sessions=x'],
  ])('of the app do: %s: %s', (name, value) => {
    expect(passed([name, value])).toEqual([`${name}: ${value}`]);
  });

  it('leave the other cookies as they were', () => {
    expect(passed(['Cookie', 'a=1; sandbox_session=x; b="2"'])).toEqual(['Cookie: a=1; b="2"']);
    expect(passed(['Cookie', `a=1; key=${KEY}; b="2"`])).toEqual(['Cookie: a=1; b="2"']);
  });

  it('are not let in where the protocols of an upgrade hold one', () => {
    expect(() => lines([], { upgrade: `websocket, ${KEY}` })).toThrow(InvalidRequestError);
  });

  it('of the peer do not leave in what it says of the hops before it either', () => {
    const raw = ['X-Forwarded-For', KEY, 'Forwarded', `for=${KEY}`, 'X-Forwarded-Host', KEY];
    expect(lines(raw, { isPeerTrusted: true })).toEqual(OWN);
  });
});

describe('what has admitted', () => {
  const bearer = { secret: 's3cret', header: 'authorization' };

  it('does not leave in the header in which it was found, whatever its letter case', () => {
    const raw = ['Authorization', 'Bearer s3cret', 'AUTHORIZATION', 'bearer s3cret', 'A', '1'];
    expect(passed(raw, { consumed: bearer })).toEqual(['A: 1']);
  });

  it('leaves other values of that header, and that text in other headers, as they are', () => {
    const raw = [
      'Authorization',
      "Basic of-the-app's",
      'X-Authorization',
      's3cret',
      'Authorizatiom',
      's3cret',
    ];
    expect(passed(raw, { consumed: bearer })).toEqual([
      "Authorization: Basic of-the-app's",
      'X-Authorization: s3cret',
      'Authorizatiom: s3cret',
    ]);
  });

  it('takes only its own pair out of a Cookie header', () => {
    const consumed = { secret: 's3cret', header: 'cookie' };
    expect(passed(['Cookie', 'a=1; token=s3cret; b=2'], { consumed })).toEqual(['Cookie: a=1; b=2']);
    expect(passed(['Cookie', 'token=s3cret'], { consumed })).toEqual([]);
  });

  it('is left to patterns and cookie names where it stands in no header', () => {
    const consumed = { secret: 's3cret', header: null };
    expect(passed(['Authorization', 's3cret', 'Cookie', 'a=s3cret'], { consumed })).toEqual([
      'Authorization: s3cret',
      'Cookie: a=s3cret',
    ]);
  });

  it('does not leave because of how an API key is sent', () => {
    const consumed = { secret: 'of-another-form', header: 'x-api-key' };
    const raw = ['X-API-Key', 'of-another-form', 'X-Api-Key', "the app's"];
    expect(passed(raw, { consumed })).toEqual(["X-Api-Key: the app's"]);
  });
});

describe('the token of the agents', () => {
  it('is sent to them, and only ours', () => {
    const raw = ['X-Sandbox-Agent-Token', 'forged', 'x_sandbox_agent_token', 'forged'];
    const head = outboundHead({ ...BASE, rawHeaders: raw }, { ...POLICY, agentToken: 'shared' });
    expect(head.match(/agent.token: .*/gi)).toEqual(['Agent-Token: shared']);
    expect(lines(raw)).toEqual(OWN);
  });
});

describe('an app that sees itself as localhost', () => {
  const PAGES: OwnPages = {
    address: new SandboxAddress(3000, 'cl-x', '3000-cl-x.localhost', true, '8000'),
    isSecure: false,
    app: POLICY.app,
    namedByPort: [],
    namedByLink: [],
  };
  const local = (rawHeaders: readonly string[], more: Partial<OutboundHead> = {}): string[] =>
    lines(rawHeaders, { pages: PAGES, ...more });
  const SET = [
    'X-Forwarded-For: 192.0.2.1',
    'X-Request-Id: id-1',
    'X-Sandbox-Url: http://3000-cl-x.localhost:8000',
  ];

  it('is told no other address of itself to compare, and from where its visitors see it', () => {
    expect(local(['Host', '3000-cl-x.localhost:8000', 'Accept', '*/*'])).toEqual(['Accept: */*', ...SET]);
  });

  it.each(['Mozilla/5.0 (X11)', 'gradio_client/2.0'])('may be Gradio, asked by %s', (agent) => {
    const [client, ...rest] = SET;
    expect(local(['User-Agent', agent])).toEqual([
      `User-Agent: ${agent}`,
      client,
      'X-Gradio-Server: http://3000-cl-x.localhost:8000',
      ...rest,
    ]);
    expect(local(['User-Agent', `curl ${agent}`])).toEqual([`User-Agent: curl ${agent}`, ...SET]);
  });

  it('gets its own Origin and Referer as it knows them, and foreign ones as they are', () => {
    const own = ['ORIGIN', 'http://3000-cl-x.localhost:8000', 'referer', 'http://3000-cl-x.localhost:8000/a'];
    expect(local(own)).toEqual(['ORIGIN: http://localhost:3000', 'referer: http://localhost:3000/a', ...SET]);
    const foreign = ['Origin', 'http://a.example', 'Referer', 'http://a.example/b'];
    expect(local(foreign)).toEqual(['Origin: http://a.example', 'Referer: http://a.example/b', ...SET]);
    const mine = ['Origin', 'http://localhost:3000', 'Referer', 'http://localhost:3000/b'];
    expect(local(mine)).toEqual(['Origin: null', ...SET]);
  });

  it('takes none of two Origin fields for its own by reading them as one', () => {
    const two = ['Origin', 'http://localhost:3000', 'Origin', 'http://localhost:3000'];
    expect(local(two)).toEqual(['Origin: null', 'Origin: null', ...SET]);
  });

  it.each([
    'Forwarded',
    'X-Forwarded-Host',
    'x-forwarded-proto',
    'X-Forwarded-Port',
    'X-Forwarded-Scheme',
    'X_Forwarded_Host',
    'X-Forwarded_Proto',
  ])('is told no address by a trusted proxy either: %s', (name) => {
    expect(local([name, 'x'], { isPeerTrusted: true })).toEqual(SET);
  });

  it('is told what else a trusted proxy says', () => {
    const said = ['X-Real-IP', '203.0.113.9', 'X-Forwarded-User', 'u', 'X-Forwarded-For', '203.0.113.9'];
    expect(local(said, { isPeerTrusted: true })).toEqual([
      'X-Real-IP: 203.0.113.9',
      'X-Forwarded-User: u',
      'X-Forwarded-For: 203.0.113.9, 192.0.2.1',
      ...SET.slice(1),
    ]);
  });

  it('gets no link of its own page, and no credential in a Referer', () => {
    const own = `http://3000-cl-x.localhost:8000/a?sandbox_link=${KEY}&b=1`;
    expect(local(['Referer', own])).toEqual(['Referer: http://localhost:3000/a?b=1', ...SET]);
    expect(local(['Referer', `http://3000-cl-x.localhost:8000/${KEY}`])).toEqual(SET);
    expect(passed(['Referer', own])).toEqual(['Referer: http://3000-cl-x.localhost:8000/a?b=1']);
  });
});

describe('what the client says of the hops before us', () => {
  const SAID = [
    'X-Forwarded-For',
    '203.0.113.9',
    'Forwarded',
    'for=203.0.113.9',
    'X-Forwarded-Port',
    '443',
    'X-Real-IP',
    '203.0.113.9',
    'X-Forwarded-Host',
    'public.example.com',
    'X-Forwarded-Proto',
    'https',
    'X-Request-Id',
    'theirs',
  ];

  it('is nothing where the peer is not trusted', () => {
    expect(lines([...SAID, 'X_Forwarded_For', '1.1.1.1', 'X-Forwarded_Proto', 'https'])).toEqual(OWN);
  });

  it('is believed where it is, with the peer at the end of the chain', () => {
    expect(lines([...SAID, 'X-Forwarded-For', '10.1.1.1'], { isPeerTrusted: true })).toEqual([
      'Forwarded: for=203.0.113.9',
      'X-Forwarded-Port: 443',
      'X-Real-IP: 203.0.113.9',
      'X-Forwarded-Host: public.example.com',
      'X-Forwarded-Proto: https',
      'X-Forwarded-For: 203.0.113.9, 10.1.1.1, 192.0.2.1',
      'X-Sandbox-App-Host: external',
      'X-Request-Id: id-1',
      'X-Sandbox-Url: http://3000-cl-x.localhost:8000',
    ]);
  });

  it('is never in a name of ours: X-Sandbox-* does not pass, trusted or not', () => {
    const raw = ['X-Sandbox-Error', 'a', 'X-Sandbox-Id', 'b', 'x_sandbox_team', 'c'];
    expect(passed(raw)).toEqual([]);
    expect(passed(raw, { isPeerTrusted: true })).toEqual([]);
  });
});

describe('any list of fields', () => {
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,12}$/),
    fc.constantFrom(
      'Connection',
      'Upgrade',
      'Host',
      'X-Forwarded-For',
      'X-Sandbox-A',
      'Cookie',
      'X-API-Key',
      'TE',
    ),
  );
  const value = fc.oneof(
    fc.stringMatching(/^[\x21-\x7e]{0,20}$/),
    fc.constantFrom('close', 'X-Foo', `k=${KEY}`, KEY, 'trailers', 'sandbox_session=1'),
  );

  it('leaves as one well-formed head with one Host, no key and what we set, once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (fields) => {
        const left = lines(fields.flat());
        const count = (wanted: string) =>
          left.filter((line) => line.toLowerCase().startsWith(`${wanted}:`)).length;
        for (const own of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id'])
          expect(count(own)).toBe(1);
        for (const gone of ['host', 'connection', 'upgrade', 'x-sandbox-a']) expect(count(gone)).toBe(0);
        expect(left.join('\n')).not.toContain(KEY);
        for (const line of left) expect(line).toMatch(/^[\w-]+: ?/);
      }),
    );
  });
});
