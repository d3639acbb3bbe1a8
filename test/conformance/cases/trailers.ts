import { always, answer } from '../harness/agent.js';
import type { Case } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { valuesOf } from '../harness/response-reader.js';

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

const requestForbidden = FORBIDDEN.map(([line, name], i): Case => ({
  id: `trailers/request-forbidden-${name}-${i}`,
  rule: `${name} as a request trailer does not go on`,
  source: 'RFC 9110 6.5.1',
  run: async (world) => {
    const stage = await world.stage();
    const wire = `3\r\nabc\r\n0\r\nX-Good: 1\r\n${line(stage.key)}\r\n\r\n`;
    const { answer: got } = await stage.send(
      `${stage.head('POST', '/t', ['Transfer-Encoding: chunked'])}${wire}`,
      'POST',
    );
    if (got.status === 400) return;
    same(got.status, 200, 'status');
    const body = (await stage.agent.whole()).body;
    same(body.data.toString(), 'abc', 'body');
    same(valuesOf(body.trailers, name), [], `${name} in the trailers`);
    same(valuesOf((await stage.agent.request()).head.fields, 'x-good'), [], 'trailer merged into the head');
    await stage.proveClean();
  },
}));

const RESPONSE_FORBIDDEN = FORBIDDEN.filter(
  ([, name]) =>
    ![
      'x-api-key',
      'host',
      'expect',
      'cookie',
      'authorization',
      'max-forwards',
      'te',
      'x-forwarded-for',
      'x-forwarded-host',
      'forwarded',
      'x-request-id',
      'proxy-authorization',
    ].includes(name),
);
const responseForbidden = RESPONSE_FORBIDDEN.map(([line, name]): Case => ({
  id: `trailers/response-forbidden-${name}`,
  rule: `${name} as a response trailer does not reach the client`,
  source: 'RFC 9110 6.5.1',
  run: async (world) => {
    const stage = await world.stage(
      always(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Good: 1\r\n${line('')}\r\n\r\n`,
      ),
    );
    const got = await stage.ask('GET', '/t', ['TE: trailers']);
    if (got.status === 502 || !got.complete) return;
    same([got.status, got.body.toString()], [200, 'ok'], 'answer');
    same(valuesOf(got.trailers, name), [], `${name} in the trailers`);
    if (name === 'set-cookie') same(valuesOf(got.fields, name), [], `${name} merged into the head`);
  },
}));

const single: Case[] = [
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'OPTIONS'].map((method): Case => ({
    id: `trailers/request-${method}`,
    rule: 'request trailers reach the sandbox as trailers',
    source: 'RFC 9112 7.1.2',
    run: async (world) => {
      const stage = await world.stage();
      const wire = '3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-Sum: caf\xe9\r\nX-Empty:\r\n\r\n';
      const { answer: got } = await stage.send(
        `${stage.head(method, '/t', ['Trailer: X-Sum', 'Transfer-Encoding: chunked'])}${wire}`,
        method,
      );
      same(got.status, 200, 'status');
      const received = await stage.agent.whole();
      same(
        received.body.trailers,
        [
          ['X-Sum', '1'],
          ['x-Sum', 'caf\xe9'],
          ['X-Empty', ''],
        ],
        'trailers upstream',
      );
      same(received.values('x-sum'), [], 'merged into the head');
    },
  })),
  ...[200, 404, 500].map((status): Case => ({
    id: `trailers/response-${status}`,
    rule: 'response trailers reach the client as trailers',
    source: 'RFC 9112 7.1.2',
    run: async (world) => {
      const stage = await world.stage(
        always(
          `HTTP/1.1 ${status} X\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\nX-sum: caf\xe9\r\n\r\n`,
        ),
      );
      const { client, answer: got } = await stage.send(stage.head('GET', '/t', ['TE: trailers']));
      same(
        [got.status, got.body.toString(), got.trailers],
        [
          status,
          'ok',
          [
            ['X-Sum', '9'],
            ['X-sum', 'caf\xe9'],
          ],
        ],
        'answer',
      );
      same(valuesOf(got.fields, 'trailer'), ['X-Sum'], 'Trailer');
      client.send(stage.head('GET', '/again'));
      same((await client.answer()).status, status, 'second request');
    },
  })),
  {
    id: 'trailers/response-undeclared',
    rule: 'trailers that no Trailer field announced go on, or are dropped whole',
    source: 'RFC 9110 6.6.2',
    run: async (world) => {
      const stage = await world.stage(
        always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n'),
      );
      const got = await stage.ask('GET', '/t', ['TE: trailers']);
      same([got.status, got.body.toString(), got.complete], [200, 'ok', true], 'answer');
      check(got.trailers.length <= 1, 'trailers');
    },
  },
  {
    id: 'trailers/response-to-http10',
    rule: 'an HTTP/1.0 client gets neither trailers nor a Trailer field',
    source: 'RFC 9110 6.5.1',
    run: async (world) => {
      const stage = await world.stage(
        always(
          'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n',
        ),
      );
      const client = await stage.client();
      client.send(stage.bare('GET /t HTTP/1.0', [`X-API-Key: ${stage.key}`]));
      const got = await client.answer();
      same([got.status, got.body.toString(), valuesOf(got.fields, 'trailer')], [200, 'ok', []], 'answer');
    },
  },
  ...(['Content-Length: 2', 'Connection: close'] as const).map((line): Case => ({
    id: `trailers/response-trailer-field-with-${line.startsWith('Con') && line.includes('close') ? 'close' : 'length'}`,
    rule: 'a Trailer field on an unchunked answer crashes nothing',
    source: 'http-party/node-http-proxy#1261',
    run: async (world) => {
      const stage = await world.stage(
        always(
          `HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${line}\r\n\r\nok`,
          line.includes('close') ? 'fin' : 'keep',
        ),
      );
      const got = await stage.ask('GET', '/t');
      check(
        got.status === 502 || (got.status === 200 && got.body.toString() === 'ok'),
        `status ${got.status}`,
      );
      stage.agent.script = always(answer(200, 'ok'));
      await stage.proveClean();
    },
  })),
  {
    id: 'trailers/request-trailer-field-with-length',
    rule: 'a Trailer field on an unchunked request crashes nothing',
    source: 'http-party/node-http-proxy#1261',
    run: async (world) => {
      const stage = await world.stage();
      const got = await stage.ask('POST', '/t', ['Trailer: X-Sum'], 'abc');
      check(got.status === 200 || got.status === 400, `status ${got.status}`);
      await stage.proveClean();
    },
  },
  {
    id: 'trailers/key-declared',
    rule: 'a key announced as a trailer and sent as one stays here',
    source: 'issue 3, Credentials',
    run: async (world) => {
      const stage = await world.stage();
      const wire = `3\r\nabc\r\n0\r\nX-API-Key: ${stage.key}\r\nX-Other: ${stage.key}\r\nX-Good: 1\r\n\r\n`;
      await stage.send(
        `${stage.head('POST', '/t', ['Trailer: X-API-Key, X-Good', 'Transfer-Encoding: chunked'])}${wire}`,
        'POST',
      );
      const body = (await stage.agent.whole()).body;
      check(!JSON.stringify(body.trailers).includes(stage.key), 'key in the trailers');
      same(valuesOf(body.trailers, 'x-good'), ['1'], 'another trailer');
    },
  },
  {
    id: 'trailers/key-as-trailer-admits-nobody',
    rule: 'a credential in the trailers is no credential',
    source: 'RFC 9110 6.5.1',
    run: async (world) => {
      const stage = await world.stage();
      const wire = `3\r\nabc\r\n0\r\nX-API-Key: ${stage.key}\r\n\r\n`;
      const { answer: got } = await stage.send(
        `${stage.bare('POST /t HTTP/1.1', ['Transfer-Encoding: chunked'])}${wire}`,
        'POST',
      );
      same([got.status, stage.agent.connections.length], [401, 0], 'status and connections upstream');
    },
  },
  ...['X Bad: 1', ': 1', 'X-Bad', 'X-Bad : 1', 'X-Bad: a\0b', ' folded'].map((line, i): Case => ({
    id: `trailers/request-malformed-${i}`,
    rule: 'a malformed trailer is refused or the upload never looks complete',
    source: 'RFC 9112 7.1.2',
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(
        `${stage.head('POST', '/t', ['Transfer-Encoding: chunked'])}3\r\nabc\r\n0\r\nX-Good: 1\r\n${line}\r\n\r\n`,
      );
      const got = await client.answer('POST').catch(() => null);
      if (got !== null && got.status === 200) same((await stage.agent.whole()).body.complete, true, 'upload');
      else check(!stage.agent.received.some((one) => one.body?.complete), 'looks complete upstream');
      await stage.proveClean();
    },
  })),
];

export const trailers: readonly Case[] = [...requestForbidden, ...responseForbidden, ...single];
