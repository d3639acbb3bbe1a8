import { expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { until } from '../kit/wait.js';
import { test } from './test.js';

// By the name of the test in Go that shows it, here at our proxy: net/http/httputil/reverseproxy_test.go of golang/go.
test('go/TestReverseProxy — status, headers, several cookies, body and trailers pass; hop-by-hop ones do not [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
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
  expect([got.status, got.body, got.all('x-foo'), got.all('x-hop'), got.all('set-cookie')], 'answer').toEqual(
    [404, 'hi', ['bar'], [], ['flavor=chocolateChip']],
  );
  expect((await stage.agent.request()).values('proxy-connection'), 'Proxy-Connection upstream').toEqual([]);
});

test('go/TestReverseProxyStripHeadersPresentInConnection — headers named in Connection are stripped both ways [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    always(answer(200, 'ok', ['Connection: Keep-Alive, X-Some-Conn', 'X-Some-Conn: s'])),
  );
  const got = await stage.ask('GET', '/', ['Connection: Upgrade, X-Fake-Hop', 'X-Fake-Hop: h']);
  expect([got.all('x-some-conn'), (await stage.agent.request()).values('x-fake-hop')], 'stripped').toEqual([
    [],
    [],
  ]);
});

test('go/TestReverseProxyStripEmptyConnection — an empty Connection line changes nothing [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    always(answer(200, 'ok', ['Connection:', 'Connection: X-Some-Conn', 'X-Some-Conn: s'])),
  );
  const got = await stage.ask('GET', '/', ['Connection:', 'Connection: X-Fake-Hop', 'X-Fake-Hop: h']);
  expect([got.all('x-some-conn'), (await stage.agent.request()).values('x-fake-hop')], 'stripped').toEqual([
    [],
    [],
  ]);
});

test('go/TestXForwardedFor — the client’s address is in X-Forwarded-For [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  await stage.ask('GET', '/', ['X-Forwarded-For: client ip']);
  expect((await stage.agent.request()).values('x-forwarded-for'), 'X-Forwarded-For').toEqual(['127.0.0.1']);
});

test('go/TestXForwardedFor_Omit — an untrusted chain is not continued [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  await stage.ask('GET', '/', ['X-Forwarded-For: 1.1.1.1', 'X-Forwarded-For: 2.2.2.2']);
  expect((await stage.agent.request()).values('x-forwarded-for'), 'X-Forwarded-For').toEqual(['127.0.0.1']);
});

test('go/TestReverseProxyRewriteStripsForwarded — Forwarded and X-Forwarded-* of the client do not pass [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  await stage.ask('GET', '/', ['Forwarded: for=x', 'X-Forwarded-Host: h', 'X-Forwarded-Proto: p']);
  const got = await stage.agent.request();
  expect(
    [got.values('forwarded'), got.values('x-forwarded-host'), got.values('x-forwarded-proto')],
    'headers',
  ).toEqual([[], [], []]);
});

test('go/TestReverseProxyQuery — queries pass as they are [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  for (const query of ['', '?', '?sta=tic', '?us=er', '?sta=tic&us=er', '?a=%zz&b', '?a=1;b=2'])
    await stage.ask('GET', `/${query}`);
  expect(
    stage.agent.received.map((one) => one.target.slice(stage.prefix.length)),
    'targets',
  ).toEqual(['/', '/?', '/?sta=tic', '/?us=er', '/?sta=tic&us=er', '/?a=%zz&b', '/?a=1;b=2']);
});

test('go/TestReverseProxyFlushInterval — what the sandbox writes reaches the client without another write [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    (exchange) => void exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst'),
  );
  const client = await stage.client();
  client.send(stage.head('GET', '/'));
  await until(() => client.transcript.includes('first'), 'the first bytes');
});

test('go/TestReverseProxyFlushIntervalHeaders — headers reach the client before any body [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    (exchange) => void exchange.send('HTTP/1.1 200 OK\r\nMyHeader: v\r\nTransfer-Encoding: chunked\r\n\r\n'),
  );
  const client = await stage.client();
  client.send(stage.head('GET', '/'));
  await until(() => client.transcript.includes('MyHeader: v'), 'the head');
});

test('go/TestReverseProxyCancellation — a client that goes away cancels the upstream request [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(() => new Promise(() => {}));
  const client = await stage.client();
  client.send(stage.head('GET', '/'));
  await stage.agent.request();
  client.close();
  await stage.released();
});

test('go/TestNilBody — an answer without a body is an answer [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(always('HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n'));
  const got = await stage.ask('GET', '/');
  expect([got.status, got.body.length, got.all('x-sandbox-error')], 'answer').toEqual([502, 0, []]);
});

test('go/TestUserAgentHeader — User-Agent passes, and none is invented [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  await stage.ask('GET', '/', ['User-Agent: explicit UA']);
  await stage.ask('GET', '/');
  expect(
    stage.agent.received.map((one) => one.values('user-agent')),
    'User-Agent',
  ).toEqual([['explicit UA'], []]);
});
