import { expect } from 'vitest';
import { answer, SWITCH_TO_WEBSOCKET } from '../kit/agent.js';
import { UPGRADE_LINES } from '../kit/requests.js';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';

// All at once: each waits for what the clocks of the program allow.
test('websocket/silence-75s — a tunnel that is silent for 75 seconds stays open [RFC 6455 5.5.2]', async (world) => {
  const stage = await world.stage();
  const { client } = await stage.send(stage.upgrade('/ws'));
  await pause(75_000);
  expect(client.isOver, 'ended').toBe(false);
  client.send('still there');
  expect((await client.input.take(11)).toString(), 'echo after the silence').toEqual('still there');
}, 200_000);

test('websocket/silent-answer-65s — a request that is answered after 65 seconds of silence is answered [README]', async (world) => {
  const stage = await world.stage(async (exchange) => {
    await pause(65_000);
    exchange.send(answer(200, 'late'));
  });
  const client = await stage.client();
  client.send(stage.head('GET', '/late'));
  await until(() => client.total > 0, 'the answer', 160_000);
  expect((await client.answer()).body, 'answer').toEqual('late');
}, 180_000);

test('websocket-ends/half-open-let-go — a tunnel that one side ended and in which nothing moves any more is let go within 40 seconds [jupyterhub/configurable-http-proxy#434]', async (world) => {
  const stage = await world.stage((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET));
  const { client } = await stage.send(stage.upgrade('/ws'));
  client.close();
  const connection = stage.agent.connections[0];
  await until(() => connection?.ending === 'fin', 'the end upstream');
  await pause(40_000);
  await until(() => {
    connection?.send('anybody there?');
    return connection?.isClosed ?? false;
  }, 'bytes into a tunnel that was let go are refused');
}, 160_000);

test('advisories/slow-head — a head that does not come is given up after the header timeout, with 408 or an end [CVE-2007-6750]', async (world) => {
  const stage = await world.stage();
  const client = await stage.client();
  client.send(stage.bare('GET / HTTP/1.1', UPGRADE_LINES).slice(0, 60));
  await client.closed();
  expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
});
