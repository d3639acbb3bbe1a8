import { assert, expect } from 'vitest';
import { answer, type Script } from '../kit/agent.js';
import { valueOf } from '../kit/answer.js';
import { pause } from '../kit/wait.js';
import { test } from './test.js';

/** Answers with the path that was asked for, the first ones slowest. */
const naming: Script = async (exchange) => {
  await exchange.body();
  const path = exchange.request.target.split('/').at(-1) ?? '';
  if (path.startsWith('slow')) await pause(80);
  exchange.send(answer(200, path + (exchange.request.body?.data.toString() ?? '')));
};

for (const count of [2, 5, 20])
  test(`pipelining/${count}-in-order — ${count} pipelined requests are answered in their order [RFC 9112 9.3.2]`, async (world) => {
    const stage = await world.stage(naming);
    const client = await stage.client();
    const names = Array.from({ length: count }, (_, i) => (i === 0 ? 'slow' : `n${i}`));
    client.send(names.map((name) => stage.head('GET', `/${name}`)).join(''));
    for (const name of names) expect((await client.answer()).body, 'answer').toEqual(name);
    expect(stage.agent.received.length, 'requests upstream').toEqual(count);
  });

test('pipelining/bodies — pipelined bodies stay with their requests [RFC 9112 9.3.2]', async (world) => {
  const stage = await world.stage(naming);
  const client = await stage.client();
  client.send(
    `${stage.head('POST', '/a', ['Content-Length: 3'])}one${stage.head('PUT', '/b', ['Transfer-Encoding: chunked'])}3\r\ntwo\r\n0\r\n\r\n${stage.head('GET', '/c')}`,
  );
  for (const want of ['aone', 'btwo', 'c']) expect((await client.answer()).body, 'answer').toEqual(want);
});

test('pipelining/two-sandboxes — pipelined requests to two sandboxes reach each its own, and are answered in order [RFC 9112 9.3.2]', async (world) => {
  const [one, two] = [await world.stage(naming), await world.stage(naming)];
  const client = await world.client();
  client.send(one.head('GET', '/slow1') + two.head('GET', '/two') + one.head('GET', '/three'));
  for (const want of ['slow1', 'two', 'three']) expect((await client.answer()).body, 'answer').toEqual(want);
  expect([one.agent.received.length, two.agent.received.length], 'requests per agent').toEqual([2, 1]);
});

test('pipelining/two-teams — each pipelined request stands for itself: its own key, its own sandbox [RFC 9110 3.3]', async (world) => {
  const [mine, theirs] = [await world.stage(naming), await world.stage(naming, { team: world.teams.b })];
  const client = await world.client();
  const foreign = theirs.bare('GET /x HTTP/1.1', [`X-API-Key: ${mine.key}`]);
  client.send(
    mine.head('GET', '/a') +
      foreign +
      theirs.head('GET', '/b') +
      theirs.bare('GET /c HTTP/1.1') +
      mine.head('GET', '/d'),
  );
  for (const want of [200, 404, 200, 401, 200])
    expect((await client.answer()).status, 'status').toEqual(want);
  expect([mine.agent.received.length, theirs.agent.received.length], 'requests per agent').toEqual([2, 1]);
});

test('pipelining/api-between — the API and sandboxes share a connection without mixing [RFC 9110 3.3]', async (world) => {
  const stage = await world.stage(naming);
  const client = await world.client();
  client.send(
    `${stage.head('GET', '/a')}GET /healthz HTTP/1.1\r\nHost: api.test\r\n\r\n${stage.head('GET', '/b')}`,
  );
  expect((await client.answer()).body, 'first').toEqual('a');
  const health = await client.answer();
  expect([health.status, valueOf(health.fields, 'x-sandbox-error')], '/healthz').toEqual([200, null]);
  expect((await client.answer()).body, 'third').toEqual('b');
});

test('pipelining/upgrade-behind-a-request — an upgrade behind a pipelined request opens after that request’s answer [RFC 9110 7.8]', async (world) => {
  const stage = await world.stage(async (exchange) => {
    if (!exchange.request.isUpgrade) return naming(exchange);
    exchange.tunnel('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
  });
  const client = await stage.client();
  client.send(stage.head('GET', '/slow1') + stage.upgrade('/u'));
  expect((await client.answer()).body, 'first answer').toEqual('slow1');
  expect((await client.answer()).status, 'upgrade').toEqual(101);
  expect((await client.input.take(5)).toString(), 'tunnel').toEqual('hello');
});

test('pipelining/after-close — what is behind a request with Connection: close is not answered [RFC 9112 9.6]', async (world) => {
  const stage = await world.stage(naming);
  const client = await stage.client();
  client.send(stage.head('GET', '/a', ['Connection: close']) + stage.head('GET', '/b'));
  assert((await client.answer()).body === 'a', 'answer');
  await client.closed();
  assert(client.input.length === 0 && stage.agent.received.length <= 1, 'the second request was served');
});
