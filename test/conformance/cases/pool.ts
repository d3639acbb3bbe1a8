import { Agent, answer, type Script } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import { type Stage } from '../harness/world.js';

/** Answers `200 ok` once the body is in. */
export const sendOk: Script = async (exchange) => {
  await exchange.body();
  exchange.send(answer(200, 'ok'));
};

/** Uses the connection once and leaves it idle. */
export async function warm(stage: Stage): Promise<void> {
  same((await stage.ask('GET', '/warm')).status, 200, 'first request');
  await pause(40);
}

/** A request on a pooled connection that dies without an answer: only what is safe is sent again. */
const DIES: [method: string, body: string | undefined, want: 200 | 502][] = [
  ['GET', undefined, 200],
  ['HEAD', undefined, 200],
  ['OPTIONS', undefined, 200],
  ['POST', 'abc', 502],
  ['POST', '', 502],
  ['PATCH', 'abc', 502],
];
const dying = DIES.flatMap(([method, body, want]) =>
  (['fin', 'rst'] as const).map((how): Case => ({
    id: `pool/dies-on-use-${method}${body === '' ? '-empty' : ''}-${how}`,
    rule:
      want === 200
        ? `a ${method} on a connection that dies is sent once more`
        : `a ${method} is never sent a second time: 502`,
    source: 'RFC 9110 9.2.2; traps, Node core 8',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await exchange.body();
        if (exchange.connection.received.length === 1) exchange.send(answer(200, 'ok'));
        else if (how === 'fin') exchange.connection.end();
        else exchange.connection.reset();
      });
      await warm(stage);
      const got = await stage.ask(method, '/again', [], body);
      same(got.status, want, 'status');
      const seen = stage.agent.received.filter((one) => one.target.endsWith('/again')).length;
      same(seen, want === 200 ? 2 : 1, 'times at the sandbox');
    },
  })),
);

const single: Case[] = [
  {
    id: 'pool/reuse',
    rule: 'twenty requests of one sandbox use one connection',
    source: 'issue 3, Pool',
    run: async (world) => {
      const stage = await world.stage(sendOk);
      const client = await stage.client();
      for (let i = 0; i < 20; i++) {
        client.send(stage.head('GET', `/${i}`));
        await client.answer();
      }
      same(stage.agent.connections.length, 1, 'connections upstream');
    },
  },
  {
    id: 'pool/reuse-across-clients',
    rule: 'another client of the same sandbox uses the same connection',
    source: 'issue 3, Pool',
    run: async (world) => {
      const stage = await world.stage(sendOk);
      for (let i = 0; i < 6; i++)
        (await stage.send(stage.head('POST', '/', ['Content-Length: 2']) + 'hi', 'POST')).client.destroy();
      same(stage.agent.connections.length, 1, 'connections upstream');
    },
  },
  {
    id: 'pool/upgrade-on-its-own',
    rule: 'an upgrade goes onto a connection of its own, never onto an idle one',
    source: 'CVE-2026-58055',
    run: async (world) => {
      const stage = await world.stage();
      await warm(stage);
      same((await stage.send(stage.upgrade('/ws'))).answer.status, 101, 'status');
      same(
        stage.agent.connections.map((one) => one.received.length),
        [1, 1],
        'requests per connection',
      );
    },
  },
  {
    id: 'pool/never-shared-between-sandboxes',
    rule: 'no connection ever carries two sandboxes',
    source: 'CVE-2026-48931; architecture 7',
    run: async (world) => {
      const one = await world.stage(sendOk);
      const two = await one.neighbour();
      const three = await world.stage(undefined, { agent: one.agent });
      for (let i = 0; i < 4; i++) for (const stage of [one, two, three]) await stage.ask('GET', `/${i}`);
      for (const connection of one.agent.connections) {
        const ids = new Set(connection.received.map((received) => received.target.split('/')[2]));
        same(ids.size, 1, 'sandboxes on one connection');
      }
    },
  },
  {
    id: 'pool/port-of-same-sandbox',
    rule: 'two ports of one sandbox are kept apart in their paths',
    source: 'GHSA-v574-6498-x57v',
    run: async (world) => {
      const stage = await world.stage(sendOk);
      stage.ports.push(3001);
      await stage.ask('GET', '/a');
      await stage.send(stage.head('GET', '/b').replace('3000-', '3001-'));
      same(
        stage.agent.received.map((one) => one.target),
        [`/proxy/${stage.id}/3000/a`, `/proxy/${stage.id}/3001/b`],
        'targets',
      );
    },
  },
  ...(['fin', 'rst'] as const).map((how): Case => ({
    id: `pool/died-idle-${how}`,
    rule: 'a connection that died while idle costs a GET nothing, and a POST nothing that was not sent',
    source: 'daytonaio/daytona#3846',
    run: async (world) => {
      for (const method of ['GET', 'POST']) {
        const stage = await world.stage(sendOk);
        await warm(stage);
        const connection = stage.agent.connections[0];
        if (how === 'fin') connection?.end();
        else connection?.reset();
        await pause(60);
        same(
          (await stage.ask(method, '/again', [], method === 'POST' ? 'abc' : undefined)).status,
          200,
          method,
        );
        same(
          stage.agent.received.filter((one) => one.target.endsWith('/again')).length,
          1,
          'times at the sandbox',
        );
      }
    },
  })),
  ...([0, 20, 80] as const).map((delay): Case => ({
    id: `pool/unasked-answer-${delay}ms`,
    rule: 'an answer that nobody asked for destroys the connection and reaches nobody',
    source: 'CVE-2026-48931',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await exchange.body();
        exchange.send(answer(200, 'ok'));
        if (exchange.index === 0) setTimeout(() => exchange.connection.send(answer(200, 'POISON')), delay);
      });
      const neighbour = await stage.neighbour();
      same((await stage.ask('GET', '/1')).body.toString(), 'ok', 'first');
      await until(() => stage.agent.connections[0]?.ending !== null, 'the connection is destroyed', 2_000);
      for (const next of [stage, neighbour, stage])
        same((await next.ask('GET', '/2')).body.toString(), 'ok', 'next');
    },
  })),
  {
    id: 'pool/unasked-bytes-behind-no-body',
    rule: 'bytes behind an answer to HEAD, a 204 or a 304 do not become the next answer',
    source: 'CVE-2026-48931',
    run: async (world) => {
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
        same((await stage.ask('GET', '/2')).body.toString(), 'ok', 'next');
      }
    },
  },
  {
    id: 'pool/connection-close-honoured',
    rule: 'an answer with Connection: close ends its connection, and no request goes onto it',
    source: 'RFC 9112 9.6',
    run: async (world) => {
      const stage = await world.stage(
        (exchange) => void exchange.send(answer(200, 'ok', ['Connection: close'])),
      );
      for (let i = 0; i < 3; i++) same((await stage.ask('POST', '/', [], 'x')).status, 200, 'status');
      same(
        stage.agent.connections.map((one) => one.received.length),
        [1, 1, 1],
        'requests per connection',
      );
    },
  },
  {
    id: 'pool/hung-requests-slow-nobody',
    rule: '120 hung requests of one sandbox do not slow another',
    source: 'issue 3, Pool',
    timeoutMs: 30_000,
    alone: true,
    run: async (world) => {
      const hung = await world.stage(() => new Promise(() => {}));
      const other = await world.stage(sendOk, { agent: await Agent.start(sendOk) });
      for (let i = 0; i < 120; i++) (await world.client()).send(hung.head('GET', `/${i}`));
      await until(() => hung.agent.received.length === 120, 'all 120 are waiting', 8_000);
      const begun = performance.now();
      for (let i = 0; i < 20; i++) same((await other.ask('GET', '/')).status, 200, 'status');
      const each = (performance.now() - begun) / 20;
      check(each < 50, `${each.toFixed(1)} ms per request`);
      other.agent.close();
    },
  },
  {
    id: 'pool/hung-on-the-same-agent',
    rule: 'hung requests of one sandbox do not slow another one on the same host',
    source: 'issue 3, Pool',
    run: async (world) => {
      const hung = await world.stage((exchange) =>
        exchange.request.target.includes('hang') ? new Promise(() => {}) : sendOk(exchange),
      );
      const other = await hung.neighbour();
      for (let i = 0; i < 40; i++) (await world.client()).send(hung.head('GET', '/hang'));
      await until(() => hung.agent.received.length === 40, 'all 40 are waiting', 6_000);
      same((await other.ask('GET', '/')).status, 200, 'status');
    },
  },
];

export const pool: readonly Case[] = [...dying, ...single];
