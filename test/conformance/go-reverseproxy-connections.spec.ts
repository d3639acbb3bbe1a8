import { expect } from 'vitest';
import { answer, always, SWITCH_TO_WEBSOCKET, type Exchange } from '../kit/agent.js';
import { valuesOf } from '../kit/answer.js';
import { until } from '../kit/wait.js';
import { test } from './test.js';
import { checkOwn } from './world.js';

// By the name of the test in Go that shows it, here at our proxy: net/http/httputil/reverseproxy_test.go of golang/go.
test('go/TestReverseProxyErrorHandler — an agent that does not answer is a 502 [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage((exchange) => exchange.connection.end());
  expect((await stage.ask('GET', '/')).status, 'status').toEqual(502);
});

test('go/TestReverseProxy_CopyBuffer — an answer that ends early is broken, not complete [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage((exchange) =>
    exchange.connection.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'),
  );
  expect((await stage.ask('GET', '/')).complete, 'complete').toEqual(false);
});

test('go/TestReverseProxy_PanicBodyError — a broken body cuts the connection [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(async (exchange) => {
    exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort');
    // A reset takes along what has not been read: the proxy has read it when the client has.
    await until(() => client.transcript.endsWith('short'), 'the first bytes');
    exchange.connection.reset();
  });
  const client = await stage.client();
  client.send(stage.head('GET', '/'));
  const got = await client.answer();
  expect([got.status, got.body, got.complete], 'answer').toEqual([200, 'short', false]);
  await client.closed();
});

test('go/TestReverseProxyWebSocket — a WebSocket opens, echoes and closes [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  const { client, answer: got } = await stage.send(stage.upgrade('/'));
  expect(got.status, 'status').toEqual(101);
  client.send('Hello\n');
  expect((await client.input.take(6)).toString(), 'echo').toEqual('Hello\n');
});

test('go/TestReverseProxyWebSocketCancellation — a tunnel ends at the sandbox when the client goes [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  (await stage.send(stage.upgrade('/'))).client.close();
  await stage.released();
});

test('go/TestReverseProxyWebSocketHalfTCP — each side of a tunnel may close for itself [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET));
  const { client } = await stage.send(stage.upgrade('/'));
  client.end();
  const connection = stage.agent.connections[0];
  await until(() => connection?.ending === 'fin', 'FIN');
  connection?.end('after');
  expect((await client.input.take(5)).toString(), 'bytes after the FIN').toEqual('after');
});

test('go/TestReverseProxyUpgradeNoMatch — a 101 to another protocol than was asked for is refused [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    (exchange) => void exchange.tunnel('HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'),
  );
  checkOwn((await stage.send(stage.upgrade('/'))).answer, 502, 'upstream_invalid_response');
});

test('go/TestUnannouncedTrailer — an unannounced trailer does no harm [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    always(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Unannounced-Trailer: t\r\n\r\n',
    ),
  );
  const got = await stage.ask('GET', '/');
  expect([got.body, got.complete], 'answer').toEqual(['ok', true]);
});

test('go/TestSetURL / TestSingleJoinSlash / TestJoinURLPath — prefix and path are joined without adding, dropping or decoding a slash [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  const paths = ['/', '//', '/a%2fb', '/a/', '//a//', '/favicon.ico', '/%2F'];
  for (const path of paths) await stage.ask('GET', path);
  expect(
    stage.agent.received.map((one) => one.target),
    'targets',
  ).toEqual(paths.map((path) => stage.prefix + path));
});

test('go/Test1xxHeadersNotModifiedAfterRoundTrip — headers of a 1xx stay with the 1xx [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage(
    always(
      `HTTP/1.1 103 E\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 103 E\r\nLink: </b>\r\n\r\n${answer(200, 'ok')}`,
    ),
  );
  const got = await stage.ask('GET', '/');
  expect([got.interim.map((one) => valuesOf(one.fields, 'link')), got.all('link')], 'Link lines').toEqual([
    [['</style.css>; rel=preload'], ['</b>']],
    [],
  ]);
});

test('go/TestReverseProxyHijackCopyError — an upgrade whose sandbox breaks at once leaves nothing [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage((exchange: Exchange) => {
    exchange.tunnel(SWITCH_TO_WEBSOCKET);
    exchange.connection.reset();
  });
  const client = await stage.client();
  client.send(stage.upgrade('/'));
  await client.closed();
});

test('go/TestServeHTTPDeepCopy / TestClonesRequestHeaders — two requests on one connection do not share headers [golang/go net/http/httputil/reverseproxy_test.go]', async (world) => {
  const stage = await world.stage();
  const client = await stage.client();
  client.send(stage.head('GET', '/1', ['X-One: 1']) + stage.head('GET', '/2'));
  await client.answer();
  await client.answer();
  expect(
    stage.agent.received.map((one) => one.values('x-one')),
    'X-One',
  ).toEqual([['1'], []]);
});
