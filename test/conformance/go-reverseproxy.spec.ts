import { expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { valuesOf } from '../kit/answer.js';
import { until } from '../kit/wait.js';
import { test } from './test.js';
import type { World } from './world.js';

/** Name of the test in Go's `net/http/httputil/reverseproxy_test.go` -> what it shows, here at our proxy. */
const BEHAVIOURS: [test: string, rule: string, run: (world: World) => Promise<void>][] = [
  [
    'TestReverseProxy',
    'status, headers, several cookies, body and trailers pass; hop-by-hop ones do not',
    async (world) => {
      const stage = await world.stage(
        always(
          'HTTP/1.1 404 Nope\r\nTrailer: X-Unannounced\r\nX-Foo: bar\r\nUpgrade: foo\r\nConnection: X-Hop\r\nX-Hop: 1\r\nSet-Cookie: flavor=chocolateChip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Trailer: t\r\n\r\n',
        ),
      );
      const got = await stage.ask('GET', '/', [
        'Connection: close, TE',
        'TE: foo, bar, trailers',
        'Proxy-Connection: x',
        'Upgrade: foo',
      ]);
      expect(
        [
          got.status,
          got.body,
          valuesOf(got.fields, 'x-foo'),
          valuesOf(got.fields, 'x-hop'),
          valuesOf(got.fields, 'set-cookie'),
        ],
        'answer',
      ).toEqual([404, 'hi', ['bar'], [], ['flavor=chocolateChip']]);
      expect((await stage.agent.request()).values('proxy-connection'), 'Proxy-Connection upstream').toEqual(
        [],
      );
    },
  ],
  [
    'TestReverseProxyStripHeadersPresentInConnection',
    'headers named in Connection are stripped both ways',
    async (world) => {
      const stage = await world.stage(
        always(answer(200, 'ok', ['Connection: Keep-Alive, X-Some-Conn', 'X-Some-Conn: s'])),
      );
      const got = await stage.ask('GET', '/', ['Connection: Upgrade, X-Fake-Hop', 'X-Fake-Hop: h']);
      expect(
        [valuesOf(got.fields, 'x-some-conn'), (await stage.agent.request()).values('x-fake-hop')],
        'stripped',
      ).toEqual([[], []]);
    },
  ],
  [
    'TestReverseProxyStripEmptyConnection',
    'an empty Connection line changes nothing',
    async (world) => {
      const stage = await world.stage(
        always(answer(200, 'ok', ['Connection:', 'Connection: X-Some-Conn', 'X-Some-Conn: s'])),
      );
      const got = await stage.ask('GET', '/', ['Connection:', 'Connection: X-Fake-Hop', 'X-Fake-Hop: h']);
      expect(
        [valuesOf(got.fields, 'x-some-conn'), (await stage.agent.request()).values('x-fake-hop')],
        'stripped',
      ).toEqual([[], []]);
    },
  ],
  [
    'TestXForwardedFor',
    'the client’s address is in X-Forwarded-For',
    async (world) => {
      const stage = await world.stage();
      await stage.ask('GET', '/', ['X-Forwarded-For: client ip']);
      expect((await stage.agent.request()).values('x-forwarded-for'), 'X-Forwarded-For').toEqual([
        '127.0.0.1',
      ]);
    },
  ],
  [
    'TestXForwardedFor_Omit',
    'an untrusted chain is not continued',
    async (world) => {
      const stage = await world.stage();
      await stage.ask('GET', '/', ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-For: 2.2.2.2']);
      expect((await stage.agent.request()).values('x-forwarded-for'), 'X-Forwarded-For').toEqual([
        '127.0.0.1',
      ]);
    },
  ],
  [
    'TestReverseProxyRewriteStripsForwarded',
    'Forwarded and X-Forwarded-* of the client are replaced',
    async (world) => {
      const stage = await world.stage();
      await stage.ask('GET', '/', ['Forwarded: for=x', 'X-Forwarded-Host: h', 'X-Forwarded-Proto: p']);
      const got = await stage.agent.request();
      expect(
        [got.values('forwarded'), got.values('x-forwarded-host'), got.values('x-forwarded-proto')],
        'headers',
      ).toEqual([[], [stage.host], ['http']]);
    },
  ],
  [
    'TestReverseProxyQuery',
    'queries pass as they are',
    async (world) => {
      const stage = await world.stage();
      for (const query of ['', '?', '?sta=tic', '?us=er', '?sta=tic&us=er', '?a=%zz&b', '?a=1;b=2'])
        await stage.ask('GET', `/${query}`);
      expect(
        stage.agent.received.map((one) => one.target.slice(stage.prefix.length)),
        'targets',
      ).toEqual(['/', '/?', '/?sta=tic', '/?us=er', '/?sta=tic&us=er', '/?a=%zz&b', '/?a=1;b=2']);
    },
  ],
  [
    'TestReverseProxyFlushInterval',
    'what the sandbox writes reaches the client without another write',
    async (world) => {
      const stage = await world.stage(
        (exchange) => void exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst'),
      );
      const client = await stage.client();
      client.send(stage.head('GET', '/'));
      await until(() => client.transcript.includes('first'), 'the first bytes');
    },
  ],
  [
    'TestReverseProxyFlushIntervalHeaders',
    'headers reach the client before any body',
    async (world) => {
      const stage = await world.stage(
        (exchange) =>
          void exchange.send('HTTP/1.1 200 OK\r\nMyHeader: v\r\nTransfer-Encoding: chunked\r\n\r\n'),
      );
      const client = await stage.client();
      client.send(stage.head('GET', '/'));
      await until(() => client.transcript.includes('MyHeader: v'), 'the head');
    },
  ],
  [
    'TestReverseProxyCancellation',
    'a client that goes away cancels the upstream request',
    async (world) => {
      const stage = await world.stage(() => new Promise(() => {}));
      const client = await stage.client();
      client.send(stage.head('GET', '/'));
      await stage.agent.request();
      client.close();
      await stage.released();
    },
  ],
  [
    'TestNilBody',
    'an answer without a body is an answer',
    async (world) => {
      const stage = await world.stage(always('HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n'));
      const got = await stage.ask('GET', '/');
      expect([got.status, got.body.length, valuesOf(got.fields, 'x-sandbox-error')], 'answer').toEqual([
        502,
        0,
        [],
      ]);
    },
  ],
  [
    'TestUserAgentHeader',
    'User-Agent passes, and none is invented',
    async (world) => {
      const stage = await world.stage();
      await stage.ask('GET', '/', ['User-Agent: explicit UA']);
      await stage.ask('GET', '/');
      expect(
        stage.agent.received.map((one) => one.values('user-agent')),
        'User-Agent',
      ).toEqual([['explicit UA'], []]);
    },
  ],
];

for (const [name, rule, run] of BEHAVIOURS)
  test(`go/${name} — ${rule} [golang/go net/http/httputil/reverseproxy_test.go]`, run);
