import { assert, expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { valuesOf } from '../kit/answer.js';
import { test } from './test.js';
import { checkCode } from './world.js';

const FORBIDDEN: [line: (key: string) => string, name: string][] = [
  [(key) => `X-API-Key: ${key}`, 'x-api-key'],
  [(key) => `x-aPi-kEY: ${key}`, 'x-api-key'],
  [() => 'Content-Length: 5', 'content-length'],
  [() => 'Transfer-Encoding: chunked', 'transfer-encoding'],
  [() => 'Host: evil.test', 'host'],
  [() => 'Connection: close', 'connection'],
  [() => 'Authorization: Bearer x', 'authorization'],
  [() => 'Cookie: a=1', 'cookie'],
  [() => 'Set-Cookie: a=1', 'set-cookie'],
  [() => 'Content-Encoding: gzip', 'content-encoding'],
  [() => 'Content-Type: text/html', 'content-type'],
  [() => 'Content-Range: bytes 0-1/2', 'content-range'],
  [() => 'Trailer: X-More', 'trailer'],
  [() => 'TE: trailers', 'te'],
  [() => 'Upgrade: websocket', 'upgrade'],
  [() => 'Keep-Alive: timeout=1', 'keep-alive'],
  [() => 'Expect: 100-continue', 'expect'],
  [() => 'X-Forwarded-For: 6.6.6.6', 'x-forwarded-for'],
  [() => 'X-Forwarded-Host: evil.test', 'x-forwarded-host'],
  [() => 'Forwarded: for=6.6.6.6', 'forwarded'],
  [() => 'X-Request-Id: 1', 'x-request-id'],
  [() => 'X-Sandbox-Error: proxy;x', 'x-sandbox-error'],
  [() => 'Max-Forwards: 1', 'max-forwards'],
  [() => 'Proxy-Authorization: x', 'proxy-authorization'],
];

for (const [i, [line, name]] of FORBIDDEN.entries())
  test(`trailers/request-forbidden-${name}-${i} — ${name} as a request trailer does not go on [RFC 9110 6.5.1]`, async (world) => {
    const stage = await world.stage();
    const wire = `3\r\nabc\r\n0\r\nX-Good: 1\r\n${line(stage.key)}\r\n\r\n`;
    const { answer: got } = await stage.send(
      `${stage.head('POST', '/t', ['Transfer-Encoding: chunked'])}${wire}`,
      'POST',
    );
    if (got.status === 400) return;
    expect(got.status, 'status').toEqual(200);
    const body = (await stage.agent.whole()).body;
    expect(body.data.toString(), 'body').toEqual('abc');
    expect(valuesOf(body.trailers, name), `${name} in the trailers`).toEqual([]);
    expect(
      valuesOf((await stage.agent.request()).head.fields, 'x-good'),
      'trailer merged into the head',
    ).toEqual([]);
    await stage.proveClean();
  });

const ONLY_IN_REQUESTS =
  'x-api-key host expect cookie authorization max-forwards te x-forwarded-for x-forwarded-host forwarded x-request-id proxy-authorization'.split(
    ' ',
  );
const RESPONSE_FORBIDDEN = FORBIDDEN.filter(([, name]) => !ONLY_IN_REQUESTS.includes(name));

for (const [line, name] of RESPONSE_FORBIDDEN)
  test(`trailers/response-forbidden-${name} — ${name} as a response trailer does not reach the client [RFC 9110 6.5.1]`, async (world) => {
    const stage = await world.stage(
      always(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Good: 1\r\n${line('')}\r\n\r\n`,
      ),
    );
    const got = await stage.ask('GET', '/t', ['TE: trailers']);
    if (got.status === 502 || !got.complete) return;
    expect([got.status, got.body], 'answer').toEqual([200, 'ok']);
    expect(valuesOf(got.trailers, name), `${name} in the trailers`).toEqual([]);
    if (name === 'set-cookie') expect(got.all(name), `${name} merged into the head`).toEqual([]);
  });

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'OPTIONS'])
  test(`trailers/request-${method} — request trailers reach the sandbox as trailers [RFC 9112 7.1.2]`, async (world) => {
    const stage = await world.stage();
    const wire = '3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-Sum: caf\xe9\r\nX-Empty:\r\n\r\n';
    const { answer: got } = await stage.send(
      `${stage.head(method, '/t', ['Trailer: X-Sum', 'Transfer-Encoding: chunked'])}${wire}`,
      method,
    );
    expect(got.status, 'status').toEqual(200);
    const received = await stage.agent.whole();
    expect(received.body.trailers, 'trailers upstream').toEqual([
      ['X-Sum', '1'],
      ['x-Sum', 'caf\xe9'],
      ['X-Empty', ''],
    ]);
    expect(received.values('x-sum'), 'merged into the head').toEqual([]);
  });

for (const status of [200, 404, 500])
  test(`trailers/response-${status} — response trailers reach the client as trailers [RFC 9112 7.1.2]`, async (world) => {
    const stage = await world.stage(
      always(
        `HTTP/1.1 ${status} X\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\nX-sum: caf\xe9\r\n\r\n`,
      ),
    );
    const { client, answer: got } = await stage.send(stage.head('GET', '/t', ['TE: trailers']));
    expect([got.status, got.body, got.trailers], 'answer').toEqual([
      status,
      'ok',
      [
        ['X-Sum', '9'],
        ['X-sum', 'caf\xe9'],
      ],
    ]);
    expect(got.all('trailer'), 'Trailer').toEqual(['X-Sum']);
    client.send(stage.head('GET', '/again'));
    expect((await client.answer()).status, 'second request').toEqual(status);
  });

test('trailers/response-undeclared — trailers that no Trailer field announced go on, or are dropped whole [RFC 9110 6.6.2]', async (world) => {
  const stage = await world.stage(
    always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n'),
  );
  const got = await stage.ask('GET', '/t', ['TE: trailers']);
  expect([got.status, got.body, got.complete], 'answer').toEqual([200, 'ok', true]);
  assert(got.trailers.length <= 1, 'trailers');
});

test('trailers/response-to-http10 — an HTTP/1.0 client gets neither trailers nor a Trailer field [RFC 9110 6.5.1]', async (world) => {
  const stage = await world.stage(
    always(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n',
    ),
  );
  const client = await stage.client();
  client.send(stage.bare('GET /t HTTP/1.0', [`X-API-Key: ${stage.key}`]));
  const got = await client.answer();
  expect([got.status, got.body, got.all('trailer')], 'answer').toEqual([200, 'ok', []]);
});

for (const line of ['Content-Length: 2', 'Connection: close'] as const)
  test(`trailers/response-trailer-field-with-${line.startsWith('Con') && line.includes('close') ? 'close' : 'length'} — a Trailer field on an unchunked answer crashes nothing [http-party/node-http-proxy#1261]`, async (world) => {
    const stage = await world.stage(
      always(
        `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${line}\r\n\r\nok`,
        line.includes('close') ? 'fin' : 'keep',
      ),
    );
    const got = await stage.ask('GET', '/t');
    expect([got.status, got.body, got.complete], 'answer').toEqual([200, 'ok', true]);
    stage.agent.script = always(answer(200, 'ok'));
    await stage.proveClean();
  });

test('trailers/request-trailer-field-with-length — a Trailer field on an unchunked request crashes nothing [http-party/node-http-proxy#1261]', async (world) => {
  const stage = await world.stage();
  const got = await stage.ask('POST', '/t', ['Trailer: X-Sum'], 'abc');
  expect(got.status, 'status').toEqual(200);
  await stage.proveClean();
});

test('trailers/key-declared — a key announced as a trailer and sent as one stays here [CWE-522]', async (world) => {
  const stage = await world.stage();
  const wire = `3\r\nabc\r\n0\r\nX-API-Key: ${stage.key}\r\nX-Other: ${stage.key}\r\nX-Good: 1\r\n\r\n`;
  await stage.send(
    `${stage.head('POST', '/t', ['Trailer: X-API-Key, X-Good', 'Transfer-Encoding: chunked'])}${wire}`,
    'POST',
  );
  const body = (await stage.agent.whole()).body;
  assert(!JSON.stringify(body.trailers).includes(stage.key), 'key in the trailers');
  expect(valuesOf(body.trailers, 'x-good'), 'another trailer').toEqual(['1']);
});

test('trailers/key-as-trailer-admits-nobody — a credential in the trailers is no credential [RFC 9110 6.5.1]', async (world) => {
  const stage = await world.stage();
  const wire = `3\r\nabc\r\n0\r\nX-API-Key: ${stage.key}\r\n\r\n`;
  const { answer: got } = await stage.send(
    `${stage.bare('POST /t HTTP/1.1', ['Transfer-Encoding: chunked'])}${wire}`,
    'POST',
  );
  expect([got.status, stage.agent.connections.length], 'status and connections upstream').toEqual([401, 0]);
});

for (const [i, line] of ['X Bad: 1', ': 1', 'X-Bad', 'X-Bad : 1', 'X-Bad: a\0b', ' folded'].entries())
  test(`trailers/request-malformed-${i} — a malformed trailer is refused, and the upload never looks complete upstream [RFC 9112 7.1.2]`, async (world) => {
    const stage = await world.stage();
    const client = await stage.client();
    client.send(
      `${stage.head('POST', '/t', ['Transfer-Encoding: chunked'])}3\r\nabc\r\n0\r\nX-Good: 1\r\n${line}\r\n\r\n`,
    );
    checkCode(await client.answer('POST'), 400, 'invalid_request');
    assert(!stage.agent.received.some((one) => one.body?.complete), 'looks complete upstream');
    await stage.proveClean();
  });
