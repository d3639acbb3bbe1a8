import { assert, expect } from 'vitest';
import { Agent, answer, echoing } from '../kit/agent.js';
import { SOON_MS, until } from '../kit/wait.js';
import { test } from './test.js';
import { checkOwn } from './world.js';
import { sendOk, warm } from './openings.js';

/** How far the pool grows, and what makes it let go. */
test('pool/bounded — beyond UPSTREAM_MAX_CONNECTIONS_PER_SANDBOX a request waits, and one that cannot is answered sandbox_busy [CWE-770]', async (base) => {
  const world = await base.on('bounded');
  const stage = await world.stage((exchange) =>
    exchange.request.target.includes('hang') ? new Promise(() => {}) : sendOk(exchange),
  );
  const holders = await Promise.all(Array.from({ length: 6 }, () => world.client()));
  for (const client of holders) client.send(stage.head('GET', '/hang'));
  await until(() => stage.agent.received.length === 6, 'six are waiting');
  checkOwn(await stage.ask('POST', '/x', [], 'x'), 503, 'sandbox_busy');
  checkOwn((await stage.send(stage.upgrade('/x'))).answer, 503, 'sandbox_busy');
  const waiting = stage.ask('GET', '/waits');
  expect((await (await stage.neighbour()).ask('GET', '/x')).status, 'another sandbox').toEqual(200);
  // Not by a FIN: a client that has ended its side alone would still get its answer.
  holders[0]?.reset();
  await until(() => stage.agent.connections.some((one) => one.ending !== null), 'one is free');
  expect((await waiting).status, 'what waited, after one left').toEqual(200);
});

test('pool/tunnels-count — open tunnels count towards the bound, and give their place back [CWE-770]', async (base) => {
  const world = await base.on('bounded');
  const stage = await world.stage(echoing);
  const clients = [];
  for (let i = 0; i < 6; i++) clients.push((await stage.send(stage.upgrade('/ws'))).client);
  checkOwn((await stage.send(stage.upgrade('/ws'))).answer, 503, 'sandbox_busy');
  for (const client of clients) client.close();
  await stage.released();
  const upgraded = async (): Promise<boolean> =>
    (await stage.send(stage.upgrade('/ws'))).answer.status === 101;
  await until(upgraded, 'a place after they left');
});

test('pool/idle-bounded — no more than UPSTREAM_MAX_IDLE_PER_SANDBOX connections are kept, none beyond UPSTREAM_IDLE_TIMEOUT_MS [CWE-770]', async (base) => {
  const world = await base.on('bounded');
  const stage = await world.stage(async (exchange) => {
    await until(() => stage.agent.received.length === 5, 'five at a time');
    exchange.send(answer(200, 'ok'));
  });
  await Promise.all(Array.from({ length: 5 }, () => stage.ask('GET', '/')));
  const open = (): number => stage.agent.connections.filter((one) => one.ending === null).length;
  await until(() => open() <= 2, 'at most two are kept');
  assert(open() > 0, 'one is kept');
  await until(() => open() === 0, 'none after the idle time');
});

test('pool/gone-sandbox-released — the idle pool of a sandbox that is gone is released [RFC 9112 9.3]', async (world) => {
  const [deleted, paused] = [await world.stage(sendOk), await world.stage(sendOk)];
  for (const stage of [deleted, paused]) await warm(stage);
  await world.platform.query('DELETE FROM sandboxes WHERE id = $1', [deleted.row.uuid]);
  await world.platform.query("UPDATE sandboxes SET status = 'paused' WHERE id = $1", [paused.row.uuid]);
  for (const stage of [deleted, paused]) await stage.released();
});

test('pool/moved-sandbox — a sandbox that moved is soon reached at its new host, on no old connection [kvcache-ai/AgentENV#56]', async (world) => {
  const [old, fresh] = [await world.stage(sendOk), await world.stage(sendOk)];
  fresh.agent.script = sendOk;
  await warm(old);
  await world.platform.query('UPDATE hosts SET address = $1 WHERE id = $2', [
    fresh.agent.address,
    old.hostId,
  ]);
  const moved = async (): Promise<boolean> => {
    expect((await old.ask('GET', '/moved')).status, 'status').toEqual(200);
    return fresh.agent.received.length > 0;
  };
  await until(moved, 'the request at the new host', SOON_MS);
  const seen = old.agent.received.length;
  assert(await moved(), 'and the next one');
  expect(old.agent.received.length, 'requests at the old host').toEqual(seen);
  expect(new Set(fresh.agent.received.splice(0).map((one) => one.target)), 'targets').toEqual(
    new Set([`${old.prefix}/moved`]),
  );
});

for (const kind of ['refused', 'agent-error', 'unmarked-503'] as const)
  test(`pool/evicts-on-${kind} — a route that proves wrong is asked for anew [kvcache-ai/AgentENV#56]`, async (world) => {
    const stage = await world.stage(async (exchange) => {
      await exchange.body();
      if (kind === 'refused' || exchange.index === 0) exchange.send(answer(200, 'ok'));
      else exchange.send(answer(503, 'gone', kind === 'agent-error' ? ['X-Sandbox-Error: agent;gone'] : []));
    });
    await warm(stage);
    if (kind === 'refused') stage.agent.close();
    expect((await stage.ask('GET', '/bad')).status, 'status').toEqual(kind === 'refused' ? 502 : 503);
    const next = await Agent.start(sendOk);
    await world.platform.querySilently('UPDATE hosts SET address = $1 WHERE id = $2', [
      next.address,
      stage.hostId,
    ]);
    expect((await stage.ask('GET', '/good')).status, 'after the address was mended').toEqual(200);
    next.close();
  });
