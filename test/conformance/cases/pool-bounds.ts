import { Agent, answer, echoing } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import { sendOk, warm } from './pool.js';
import { checkOwn } from '../harness/world.js';

/** How far the pool grows, and what makes it let go. */
export const poolBounds: readonly Case[] = [
  {
    id: 'pool/bounded',
    rule: 'beyond UPSTREAM_MAX_CONNECTIONS_PER_SANDBOX a request waits, and one that cannot is answered sandbox_busy',
    source: 'issue 3, Pool',
    variant: 'bounded',
    run: async (world) => {
      const stage = await world.stage((exchange) =>
        exchange.request.target.includes('hang') ? new Promise(() => {}) : sendOk(exchange),
      );
      const holders = await Promise.all(Array.from({ length: 6 }, () => world.client()));
      for (const client of holders) client.send(stage.head('GET', '/hang'));
      await until(() => stage.agent.received.length === 6, 'six are waiting');
      checkOwn(await stage.ask('POST', '/x', [], 'x'), 503, 'sandbox_busy');
      checkOwn((await stage.send(stage.upgrade('/x'))).answer, 503, 'sandbox_busy');
      const waiting = stage.ask('GET', '/waits');
      same((await (await stage.neighbour()).ask('GET', '/x')).status, 200, 'another sandbox');
      holders[0]?.destroy();
      await until(() => stage.agent.connections.some((one) => one.ending !== null), 'one is free');
      same((await waiting).status, 200, 'what waited, after one left');
    },
  },
  {
    id: 'pool/tunnels-count',
    rule: 'open tunnels count towards the bound, and give their place back',
    source: 'issue 3, Pool',
    variant: 'bounded',
    run: async (world) => {
      const stage = await world.stage(echoing);
      const clients = [];
      for (let i = 0; i < 6; i++) clients.push((await stage.send(stage.upgrade('/ws'))).client);
      checkOwn((await stage.send(stage.upgrade('/ws'))).answer, 503, 'sandbox_busy');
      for (const client of clients) client.destroy();
      await stage.released();
      await pause(30);
      same((await stage.send(stage.upgrade('/ws'))).answer.status, 101, 'after they left');
    },
  },
  {
    id: 'pool/idle-bounded',
    rule: 'no more than UPSTREAM_MAX_IDLE_PER_SANDBOX connections are kept, none beyond UPSTREAM_IDLE_TIMEOUT_MS',
    source: 'issue 3, Pool',
    variant: 'bounded',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await pause(120);
        exchange.send(answer(200, 'ok'));
      });
      await Promise.all(Array.from({ length: 5 }, () => stage.ask('GET', '/')));
      const open = (): number => stage.agent.connections.filter((one) => one.ending === null).length;
      await until(() => open() <= 2, 'at most two are kept', 2_000);
      check(open() > 0, 'one is kept');
      await until(() => open() === 0, 'none after the idle time', 4_000);
    },
  },
  {
    id: 'pool/gone-sandbox-released',
    rule: 'the idle pool of a sandbox that is gone is released',
    source: 'issue 3, Pool',
    run: async (world) => {
      const [deleted, paused] = [await world.stage(sendOk), await world.stage(sendOk)];
      for (const stage of [deleted, paused]) await warm(stage);
      await world.platform.query('DELETE FROM sandboxes WHERE id = $1', [deleted.uuid]);
      await world.platform.query("UPDATE sandboxes SET status = 'paused' WHERE id = $1", [paused.uuid]);
      for (const stage of [deleted, paused]) await stage.released(2_000);
    },
  },
  {
    id: 'pool/moved-sandbox',
    rule: 'a sandbox that moved is reached at its new host within 250 ms, on no old connection',
    source: 'kvcache-ai/AgentENV#56; issue 2, change feed',
    run: async (world) => {
      const [old, fresh] = [await world.stage(sendOk), await world.stage(sendOk)];
      fresh.agent.script = sendOk;
      await warm(old);
      await world.platform.query('UPDATE hosts SET address = $1 WHERE id = $2', [
        fresh.agent.address,
        old.hostUuid,
      ]);
      await pause(250);
      const moved = await world.stage(undefined, { agent: fresh.agent });
      await moved.ask('GET', '/own');
      const seen = old.agent.received.length;
      const got = await world.client();
      got.send(old.head('GET', '/moved'));
      same((await got.answer()).status, 200, 'status');
      same(old.agent.received.length, seen, 'requests at the old host');
      const at = fresh.agent.received.findIndex((one) => one.target === `${old.prefix}/moved`);
      check(at >= 0, 'the request at the new host');
      fresh.agent.received.splice(at, 1);
    },
  },
  ...(['refused', 'agent-error', 'unmarked-503'] as const).map((kind): Case => ({
    id: `pool/evicts-on-${kind}`,
    rule: 'a route that proves wrong is asked for anew',
    source: 'architecture 7',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await exchange.body();
        if (kind === 'refused' || exchange.index === 0) exchange.send(answer(200, 'ok'));
        else
          exchange.send(answer(503, 'gone', kind === 'agent-error' ? ['X-Sandbox-Error: agent;gone'] : []));
      });
      await warm(stage);
      if (kind === 'refused') stage.agent.close();
      await pause(60);
      const bad = (await stage.ask('GET', '/bad')).status;
      check([502, 503].includes(bad), `status ${bad}`);
      const next = await Agent.start(sendOk);
      await world.platform.querySilently('UPDATE hosts SET address = $1 WHERE id = $2', [
        next.address,
        stage.hostUuid,
      ]);
      await pause(50);
      same((await stage.ask('GET', '/good')).status, 200, 'after the address was mended');
      next.close();
    },
  })),
];
