import { always, answer } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import { valuesOf } from '../harness/response-reader.js';
import { checkOwn } from '../harness/world.js';

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

const passes = INTERIM.map(([name, wire, forwarded]): Case => ({
  id: `interim/${name}`,
  rule: 'interim answers go on to an HTTP/1.1 client, a stray 100 does no harm, the final answer follows',
  source: 'RFC 9110 15.2, RFC 8297',
  run: async (world) => {
    const stage = await world.stage(always(wire + OK));
    const { client, answer: got } = await stage.send(stage.head('GET', '/i'));
    same([got.status, got.body.toString()], [200, 'ok'], 'final answer');
    same(
      got.interim.map((one) => one.status).filter((status) => status !== 100),
      forwarded,
      'interim answers',
    );
    client.send(stage.head('GET', '/again'));
    same((await client.answer()).status, 200, 'second request');
  },
}));

const single: Case[] = [
  {
    id: 'interim/103-at-once',
    rule: 'a 103 reaches the client before the final answer is sent',
    source: 'RFC 8297 2',
    run: async (world) => {
      let go: (() => void) | undefined;
      const stage = await world.stage(async (exchange) => {
        exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-B: 1\r\nX-B: 2\r\n\r\n');
        await new Promise<void>((resolve) => (go = resolve));
        exchange.send(OK);
      });
      const client = await stage.client();
      client.send(stage.head('GET', '/i'));
      await until(() => client.bytes.includes('103'), 'the 103', 1_500);
      go?.();
      const got = await client.answer();
      same(valuesOf(got.interim[0]?.fields ?? [], 'x-b'), ['1', '2'], 'headers of the 103');
      same(valuesOf(got.fields, 'link'), [], 'Link of the final answer');
    },
  },
  {
    id: 'interim/103-header-rules',
    rule: 'hop-by-hop, X-Sandbox-* and a wider cookie Domain do not pass on a 103',
    source: 'architecture 6',
    run: async (world) => {
      const stage = await world.stage(
        always(
          `HTTP/1.1 103 Early Hints\r\nConnection: X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=9\r\nX-Sandbox-Error: proxy;x\r\nSet-Cookie: a=1; Domain=sandbox.test\r\nLink: </a>\r\n\r\n${OK}`,
        ),
      );
      const hint = (await stage.ask('GET', '/i')).interim[0];
      check(hint, 'no 103');
      same(
        hint.fields
          .map(([n]) => n.toLowerCase())
          .filter((n) => ['x-foo', 'keep-alive', 'x-sandbox-error'].includes(n)),
        [],
        'dropped',
      );
      check(!/domain/i.test(valuesOf(hint.fields, 'set-cookie').join()), 'cookie domain on a 103');
    },
  },
  {
    id: 'interim/103-not-to-http10',
    rule: 'an HTTP/1.0 client gets no interim answer',
    source: 'RFC 9110 15.2',
    run: async (world) => {
      const stage = await world.stage(always(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`));
      const client = await stage.client();
      client.send(stage.bare('GET /i HTTP/1.0', [`X-API-Key: ${stage.key}`]));
      const got = await client.answer();
      same([got.status, got.interim.length], [200, 0], 'answer');
    },
  },
  {
    id: 'interim/stray-101',
    rule: 'a 101 to a request that asked for no upgrade is a 502',
    source: 'RFC 9110 15.2.2',
    run: async (world) => {
      for (const head of [
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        'HTTP/1.1 101 X\r\n\r\n',
      ]) {
        const stage = await world.stage(always(`${head}${OK}`));
        checkOwn(await stage.ask('GET', '/i'), 502, 'upstream_invalid_response');
        stage.agent.script = always(OK);
        await stage.proveClean();
      }
    },
  },
  {
    id: 'interim/endless-1xx',
    rule: 'interim answers without end are cut, before a hundred thousand of them',
    source: 'issue 3, Framing',
    run: async (world) => {
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
      await until(() => client.ending !== null || / 50[24] /.test(client.bytes), 'an end', 8_000);
      check(sent < 100_000, 'all of them were taken');
    },
  },
  {
    id: 'interim/early-hints-with-upgrade',
    rule: 'a 103 before the 101 is passed on and the tunnel opens',
    source: 'RFC 9110 15.2',
    run: async (world) => {
      const stage = await world.stage((exchange) => {
        exchange.tunnel(
          'HTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi',
        );
      });
      const { client, answer: got } = await stage.send(stage.upgrade('/i'));
      same(got.status, 101, 'status');
      same((await client.input.take(2)).toString(), 'hi', 'tunnel bytes');
    },
  },
  ...(
    [
      ['Content-Length: 3', 'abc'],
      ['Transfer-Encoding: chunked', '3\r\nabc\r\n0\r\n\r\n'],
    ] as const
  ).map(([line, wire], i): Case => ({
    id: `interim/expect-end-to-end-${i ? 'chunked' : 'length'}`,
    rule: 'the sandbox’s own 100 invites the body, and not before',
    source: 'RFC 9110 10.1.1',
    run: async (world) => {
      let go: (() => void) | undefined;
      const stage = await world.stage(async (exchange) => {
        await new Promise<void>((resolve) => (go = resolve));
        exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
        await exchange.body();
        exchange.send(OK);
      });
      const client = await stage.client();
      client.send(stage.head('POST', '/e', ['Expect: 100-continue', line]));
      same(
        (await stage.agent.request()).values('expect').map((v) => v.toLowerCase()),
        ['100-continue'],
        'Expect upstream',
      );
      await pause(120);
      same(client.bytes, '', 'invited before the sandbox did');
      go?.();
      await until(() => client.bytes.includes(' 100 '), 'the 100', 1_500);
      client.send(wire);
      same((await client.answer('POST')).status, 200, 'final status');
      same((await stage.agent.whole()).body.data.toString(), 'abc', 'body');
    },
  })),
  ...[417, 401, 200, 404, 302].map((status): Case => ({
    id: `interim/expect-refused-${status}`,
    rule: 'a final answer instead of the 100 reaches the client, whose body is not awaited',
    source: 'RFC 9110 10.1.1',
    run: async (world) => {
      const stage = await world.stage((exchange) => void exchange.send(answer(status, 'no')));
      const { answer: got } = await stage.send(
        stage.head('PUT', '/e', ['Expect: 100-continue', 'Content-Length: 5000']),
        'PUT',
      );
      same([got.status, got.interim.length, got.body.toString()], [status, 0, 'no'], 'answer');
      stage.agent.script = always(OK);
      await stage.proveClean();
    },
  })),
  {
    id: 'interim/expect-not-invited-before-authentication',
    rule: 'no 100 before the credential is known to be good',
    source: 'GHSA-6x33-pw7p-hmpq',
    run: async (world) => {
      const stage = await world.stage();
      for (const lines of [[], ['X-API-Key: wrn_00000000000000000000000000000000']]) {
        const client = await stage.client();
        client.send(
          stage.bare('POST /e HTTP/1.1', ['Expect: 100-continue', 'Content-Length: 5000', ...lines]),
        );
        const got = await client.answer('POST');
        checkOwn(got, 401, 'unauthorized');
        same(got.interim.length, 0, 'interim answers');
        same(await client.closed(), 'fin', 'the connection’s end');
      }
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  },
  {
    id: 'interim/expect-unknown-sandbox',
    rule: 'no 100 for a sandbox that is not there',
    source: 'RFC 9110 10.1.1',
    run: async (world) => {
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
      same(got.interim.length, 0, 'interim answers');
    },
  },
  {
    id: 'interim/expect-other-value',
    rule: 'an expectation that the proxy does not know goes on or is a 417, never a hang',
    source: 'RFC 9110 10.1.1',
    run: async (world) => {
      const stage = await world.stage();
      const got = await stage.ask('POST', '/e', ['Expect: 200-ok'], 'abc');
      check(got.status === 200 || got.status === 417, `status ${got.status}`);
    },
  },
  {
    id: 'interim/expect-from-http10',
    rule: 'an HTTP/1.0 client’s Expect invites nothing',
    source: 'RFC 9110 10.1.1',
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(
        stage.bare('POST /e HTTP/1.0', [
          `X-API-Key: ${stage.key}`,
          'Expect: 100-continue',
          'Content-Length: 3',
        ]),
      );
      client.send('abc');
      const got = await client.answer('POST');
      same([got.status, got.interim.length], [200, 0], 'answer');
    },
  },
  {
    id: 'interim/expect-without-body',
    rule: 'Expect on a GET without a body gets its answer',
    source: 'RFC 9110 10.1.1',
    run: async (world) => {
      same((await (await world.stage()).ask('GET', '/e', ['Expect: 100-continue'])).status, 200, 'status');
    },
  },
];

export const interim: readonly Case[] = [...passes, ...single];
