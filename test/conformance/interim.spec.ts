import { assert, expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { valuesOf } from '../kit/answer.js';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';
import { checkOwn } from './world.js';

const OK = answer(200, 'ok');

const INTERIM: [name: string, wire: string, forwarded: number[]][] = [
  ['100', 'HTTP/1.1 100 Continue\r\n\r\n', []],
  ['100-twice', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n', []],
  ['102', 'HTTP/1.1 102 Processing\r\n\r\n', [102]],
  ['103', 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n', [103]],
  [
    '103-twice',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n',
    [103, 103],
  ],
  [
    '102-103-100',
    'HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: </b>\r\n\r\nHTTP/1.1 100 C\r\n\r\n',
    [102, 103],
  ],
];

for (const [name, wire, forwarded] of INTERIM)
  test(`interim/${name} — interim answers go on to an HTTP/1.1 client, a stray 100 does no harm, the final answer follows [RFC 9110 15.2, RFC 8297]`, async (world) => {
    const stage = await world.stage(always(wire + OK));
    const { client, answer: got } = await stage.send(stage.head('GET', '/i'));
    expect([got.status, got.body], 'final answer').toEqual([200, 'ok']);
    expect(
      got.interim.map((one) => one.status).filter((status) => status !== 100),
      'interim answers',
    ).toEqual(forwarded);
    client.send(stage.head('GET', '/again'));
    expect((await client.answer()).status, 'second request').toEqual(200);
  });

test('interim/103-at-once — a 103 reaches the client before the final answer is sent [RFC 8297 2]', async (world) => {
  let go: (() => void) | undefined;
  const stage = await world.stage(async (exchange) => {
    exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-B: 1\r\nX-B: 2\r\n\r\n');
    await new Promise<void>((resolve) => (go = resolve));
    exchange.send(OK);
  });
  const client = await stage.client();
  client.send(stage.head('GET', '/i'));
  await until(() => client.transcript.includes('103'), 'the 103');
  go?.();
  const got = await client.answer();
  expect(valuesOf(got.interim[0]?.fields ?? [], 'x-b'), 'headers of the 103').toEqual(['1', '2']);
  expect(got.all('link'), 'Link of the final answer').toEqual([]);
});

test('interim/103-header-rules — hop-by-hop, X-Sandbox-* and a wider cookie Domain do not pass on a 103 [RFC 9110 7.6.1, RFC 6265 5.3]', async (world) => {
  const stage = await world.stage(
    always(
      `HTTP/1.1 103 Early Hints\r\nConnection: X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=9\r\nX-Sandbox-Error: proxy;x\r\nSet-Cookie: a=1; Domain=sandbox.test\r\nLink: </a>\r\n\r\n${OK}`,
    ),
  );
  const hint = (await stage.ask('GET', '/i')).interim[0];
  assert(hint, 'no 103');
  expect(
    hint.fields
      .map(([n]) => n.toLowerCase())
      .filter((n) => ['x-foo', 'keep-alive', 'x-sandbox-error'].includes(n)),
    'dropped',
  ).toEqual([]);
  assert(!/domain/i.test(valuesOf(hint.fields, 'set-cookie').join()), 'cookie domain on a 103');
});

test('interim/103-not-to-http10 — an HTTP/1.0 client gets no interim answer [RFC 9110 15.2]', async (world) => {
  const stage = await world.stage(always(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`));
  const client = await stage.client();
  client.send(stage.bare('GET /i HTTP/1.0', [`X-API-Key: ${stage.key}`]));
  const got = await client.answer();
  expect([got.status, got.interim.length], 'answer').toEqual([200, 0]);
});

test('interim/stray-101 — a 101 to a request that asked for no upgrade is a 502 [RFC 9110 15.2.2]', async (world) => {
  for (const head of [
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'HTTP/1.1 101 X\r\n\r\n',
  ]) {
    const stage = await world.stage(always(`${head}${OK}`));
    checkOwn(await stage.ask('GET', '/i'), 502, 'upstream_invalid_response');
    stage.agent.script = always(OK);
    await stage.proveClean();
  }
});

test('interim/endless-1xx — interim answers without end are cut, before a hundred thousand of them [CWE-770]', async (world) => {
  let sent = 0;
  const stage = await world.stage(async (exchange) => {
    while (sent < 100_000 && exchange.connection.ending === null) {
      exchange.send('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100));
      sent += 100;
      if (sent % 2_000 === 0) await pause(1);
    }
  });
  const client = await stage.client();
  client.send(stage.head('GET', '/i'));
  await until(() => client.ending !== null || / 50[24] /.test(client.transcript), 'an end');
  assert(sent < 100_000, 'all of them were taken');
});

test('interim/early-hints-with-upgrade — a 103 before the 101 is passed on and the tunnel opens [RFC 9110 15.2]', async (world) => {
  const stage = await world.stage((exchange) => {
    exchange.tunnel(
      'HTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi',
    );
  });
  const { client, answer: got } = await stage.send(stage.upgrade('/i'));
  expect(got.status, 'status').toEqual(101);
  expect((await client.input.take(2)).toString(), 'tunnel bytes').toEqual('hi');
});

for (const [i, [line, wire]] of (
  [
    ['Content-Length: 3', 'abc'],
    ['Transfer-Encoding: chunked', '3\r\nabc\r\n0\r\n\r\n'],
  ] as const
).entries())
  test(`interim/expect-end-to-end-${i ? 'chunked' : 'length'} — the sandbox’s own 100 invites the body, and not before [RFC 9110 10.1.1]`, async (world) => {
    let go: (() => void) | undefined;
    const stage = await world.stage(async (exchange) => {
      await new Promise<void>((resolve) => (go = resolve));
      exchange.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n');
      await exchange.body();
      exchange.send(OK);
    });
    const client = await stage.client();
    client.send(stage.head('POST', '/e', ['Expect: 100-continue', line]));
    expect(
      (await stage.agent.request()).values('expect').map((v) => v.toLowerCase()),
      'Expect upstream',
    ).toEqual(['100-continue']);
    await world.roundTrip();
    expect(client.transcript, 'invited before the sandbox did').toEqual('');
    go?.();
    await until(() => client.transcript.includes(' 103 '), 'the 103');
    // The proxy's own invitation, a second after the request, would come behind the 103.
    expect(client.transcript, 'the 100').toMatch(/^HTTP\/1\.1 100 /);
    client.send(wire);
    expect((await client.answer('POST')).status, 'final status').toEqual(200);
    expect((await stage.agent.whole()).body.data.toString(), 'body').toEqual('abc');
  });

for (const status of [417, 401, 200, 404, 302])
  test(`interim/expect-refused-${status} — a final answer instead of the 100 reaches the client, whose body is not awaited [RFC 9110 10.1.1]`, async (world) => {
    const stage = await world.stage((exchange) => void exchange.send(answer(status, 'no')));
    const { answer: got } = await stage.send(
      stage.head('PUT', '/e', ['Expect: 100-continue', 'Content-Length: 5000']),
      'PUT',
    );
    expect([got.status, got.interim.length, got.body], 'answer').toEqual([status, 0, 'no']);
    stage.agent.script = always(OK);
    await stage.proveClean();
  });

test('interim/expect-not-invited-before-authentication — no 100 before the credential is known to be good [GHSA-6x33-pw7p-hmpq]', async (world) => {
  const stage = await world.stage();
  for (const lines of [[], ['X-API-Key: wrn_00000000000000000000000000000000']]) {
    const client = await stage.client();
    client.send(stage.bare('POST /e HTTP/1.1', ['Expect: 100-continue', 'Content-Length: 5000', ...lines]));
    const got = await client.answer('POST');
    checkOwn(got, 401, 'unauthorized');
    expect(got.interim.length, 'interim answers').toEqual(0);
    expect(await client.closed(), 'the connection’s end').toEqual('fin');
  }
  expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
});

test('interim/expect-unknown-sandbox — no 100 for a sandbox that is not there [RFC 9110 10.1.1]', async (world) => {
  const stage = await world.stage(undefined, { team: world.teams.b });
  const client = await stage.client();
  client.send(
    stage.bare('POST /e HTTP/1.1', [
      `X-API-Key: ${world.teams.a.key}`,
      'Expect: 100-continue',
      'Content-Length: 5',
    ]),
  );
  const got = await client.answer('POST');
  checkOwn(got, 404, 'sandbox_not_found');
  expect(got.interim.length, 'interim answers').toEqual(0);
});

test('interim/expect-other-value — an expectation that the proxy does not know goes on [RFC 9110 10.1.1]', async (world) => {
  const stage = await world.stage();
  const got = await stage.ask('POST', '/e', ['Expect: 200-ok'], 'abc');
  expect([got.status, (await stage.agent.request()).values('expect')], 'status, and Expect upstream').toEqual(
    [200, ['200-ok']],
  );
});

test('interim/expect-from-http10 — an HTTP/1.0 client’s Expect invites nothing [RFC 9110 10.1.1]', async (world) => {
  const stage = await world.stage();
  const client = await stage.client();
  client.send(
    stage.bare('POST /e HTTP/1.0', [`X-API-Key: ${stage.key}`, 'Expect: 100-continue', 'Content-Length: 3']),
  );
  client.send('abc');
  const got = await client.answer('POST');
  expect([got.status, got.interim.length], 'answer').toEqual([200, 0]);
});

test('interim/expect-without-body — Expect on a GET without a body gets its answer [RFC 9110 10.1.1]', async (world) => {
  expect((await (await world.stage()).ask('GET', '/e', ['Expect: 100-continue'])).status, 'status').toEqual(
    200,
  );
});
