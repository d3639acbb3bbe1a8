import { assert, expect } from 'vitest';
import { Agent, answer } from '../kit/agent.js';
import { until } from '../kit/wait.js';
import { sendOk, warm } from './openings.js';
import { alone, test } from './test.js';

/** A request on a pooled connection that dies without an answer: only what is safe is sent again. */
const DIES: [method: string, body: string | undefined, want: 200 | 502][] = [
  ['GET', undefined, 200],
  ['HEAD', undefined, 200],
  ['OPTIONS', undefined, 200],
  ['POST', 'abc', 502],
  ['POST', '', 502],
  ['PATCH', 'abc', 502],
];

for (const [method, body, want] of DIES)
  for (const how of ['fin', 'rst'] as const)
    test(`pool/dies-on-use-${method}${body === '' ? '-empty' : ''}-${how} — ${
      want === 200
        ? `a ${method} on a connection that dies is sent once more`
        : `a ${method} is never sent a second time: 502`
    } [RFC 9110 9.2.2]`, async (world) => {
      const stage = await world.stage(async (exchange) => {
        await exchange.body();
        if (exchange.connection.received.length === 1) exchange.send(answer(200, 'ok'));
        else if (how === 'fin') exchange.connection.end();
        else exchange.connection.reset();
      });
      await warm(stage);
      const got = await stage.ask(method, '/again', [], body);
      expect(got.status, 'status').toEqual(want);
      const seen = stage.agent.received.filter((one) => one.target.endsWith('/again')).length;
      expect(seen, 'times at the sandbox').toEqual(want === 200 ? 2 : 1);
    });

test('pool/reuse — twenty requests of one sandbox use one connection [RFC 9112 9.3]', async (world) => {
  const stage = await world.stage(sendOk);
  const client = await stage.client();
  for (let i = 0; i < 20; i++) {
    client.send(stage.head('GET', `/${i}`));
    await client.answer();
  }
  expect(stage.agent.connections.length, 'connections upstream').toEqual(1);
});

test('pool/reuse-across-clients — another client of the same sandbox uses the same connection [RFC 9112 9.3]', async (world) => {
  const stage = await world.stage(sendOk);
  for (let i = 0; i < 6; i++)
    (await stage.send(stage.head('POST', '/', ['Content-Length: 2']) + 'hi', 'POST')).client.close();
  expect(stage.agent.connections.length, 'connections upstream').toEqual(1);
});

test('pool/upgrade-on-its-own — an upgrade goes onto a connection of its own, never onto an idle one [CVE-2026-58055]', async (world) => {
  const stage = await world.stage();
  await warm(stage);
  expect((await stage.send(stage.upgrade('/ws'))).answer.status, 'status').toEqual(101);
  expect(
    stage.agent.connections.map((one) => one.received.length),
    'requests per connection',
  ).toEqual([1, 1]);
});

test('pool/never-shared-between-sandboxes — no connection ever carries two sandboxes [CVE-2026-48931]', async (world) => {
  const one = await world.stage(sendOk);
  const two = await one.neighbour();
  const three = await world.stage(undefined, { agent: one.agent });
  for (let i = 0; i < 4; i++) for (const stage of [one, two, three]) await stage.ask('GET', `/${i}`);
  for (const connection of one.agent.connections) {
    const ids = new Set(connection.received.map((received) => received.target.split('/')[2]));
    expect(ids.size, 'sandboxes on one connection').toEqual(1);
  }
});

test('pool/port-of-same-sandbox — two ports of one sandbox are kept apart in their paths [GHSA-v574-6498-x57v]', async (world) => {
  const stage = await world.stage(sendOk);
  stage.ports.push(3001);
  await stage.ask('GET', '/a');
  await stage.send(stage.head('GET', '/b').replace('3000-', '3001-'));
  expect(
    stage.agent.received.map((one) => one.target),
    'targets',
  ).toEqual([`/proxy/${stage.id}/3000/a`, `/proxy/${stage.id}/3001/b`]);
});

for (const how of ['fin', 'rst'] as const)
  test(`pool/died-idle-${how} — a connection that died while idle costs a GET nothing, and a POST nothing that was not sent [daytonaio/daytona#3846]`, async (world) => {
    for (const method of ['GET', 'POST']) {
      const stage = await world.stage(sendOk);
      await warm(stage);
      const connection = stage.agent.connections[0];
      if (how === 'fin') {
        connection?.end();
        await connection?.closed();
      } else connection?.reset();
      await world.roundTrip();
      expect(
        (await stage.ask(method, '/again', [], method === 'POST' ? 'abc' : undefined)).status,
        method,
      ).toEqual(200);
      expect(
        stage.agent.received.filter((one) => one.target.endsWith('/again')).length,
        'times at the sandbox',
      ).toEqual(1);
    }
  });

for (const delay of [0, 20, 80] as const)
  test(`pool/unasked-answer-${delay}ms — an answer that nobody asked for destroys the connection and reaches nobody [CVE-2026-48931]`, async (world) => {
    const stage = await world.stage(async (exchange) => {
      await exchange.body();
      exchange.send(answer(200, 'ok'));
      if (exchange.index === 0) setTimeout(() => exchange.connection.send(answer(200, 'POISON')), delay);
    });
    const neighbour = await stage.neighbour();
    expect((await stage.ask('GET', '/1')).body, 'first').toEqual('ok');
    await until(() => stage.agent.connections[0]?.ending !== null, 'the connection is destroyed');
    for (const next of [stage, neighbour, stage])
      expect((await next.ask('GET', '/2')).body, 'next').toEqual('ok');
  });

test('pool/unasked-bytes-behind-no-body — bytes behind an answer to HEAD, a 204 or a 304 do not become the next answer [CVE-2026-48931]', async (world) => {
  for (const [method, head] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 No\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ] as const) {
    const stage = await world.stage(
      (exchange) =>
        void exchange.send(exchange.index === 0 ? head + answer(200, 'POISON') : answer(200, 'ok')),
    );
    await stage.ask(method, '/1');
    expect((await stage.ask('GET', '/2')).body, 'next').toEqual('ok');
  }
});

test('pool/connection-close-honoured — an answer with Connection: close ends its connection, and no request goes onto it [RFC 9112 9.6]', async (world) => {
  const stage = await world.stage((exchange) => void exchange.send(answer(200, 'ok', ['Connection: close'])));
  for (let i = 0; i < 3; i++) expect((await stage.ask('POST', '/', [], 'x')).status, 'status').toEqual(200);
  expect(
    stage.agent.connections.map((one) => one.received.length),
    'requests per connection',
  ).toEqual([1, 1, 1]);
});

alone(
  'pool/hung-requests-slow-nobody — 120 hung requests of one sandbox do not slow another [CWE-770]',
  async (world) => {
    const hung = await world.stage(() => new Promise(() => {}));
    const other = await world.stage(sendOk, { agent: await Agent.start(sendOk) });
    for (let i = 0; i < 120; i++) (await world.client()).send(hung.head('GET', `/${i}`));
    await until(() => hung.agent.received.length === 120, 'all 120 are waiting');
    const begun = performance.now();
    for (let i = 0; i < 20; i++) expect((await other.ask('GET', '/')).status, 'status').toEqual(200);
    const each = (performance.now() - begun) / 20;
    assert(each < 50, `${each.toFixed(1)} ms per request`);
    other.agent.close();
  },
);

test('pool/hung-on-the-same-agent — hung requests of one sandbox do not slow another one on the same host [CWE-770]', async (world) => {
  const hung = await world.stage((exchange) =>
    exchange.request.target.includes('hang') ? new Promise(() => {}) : sendOk(exchange),
  );
  const other = await hung.neighbour();
  for (let i = 0; i < 40; i++) (await world.client()).send(hung.head('GET', '/hang'));
  await until(() => hung.agent.received.length === 40, 'all 40 are waiting');
  expect((await other.ask('GET', '/')).status, 'status').toEqual(200);
});
