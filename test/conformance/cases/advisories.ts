import { always, answer } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import { type Case, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';

const EVIL = 'GET /proxy/evil/1/ HTTP/1.1\r\nHost: evil\r\n\r\n';

/** The attacks of the advisories as they were published, one by one; the rules behind them have tables elsewhere. */
export const advisories: readonly Case[] = [
  ...['DELETE', 'OPTIONS', 'GET', 'HEAD', 'PATCH'].map((method): Case => ({
    id: `advisories/CVE-2026-29057-${method}`,
    rule: `a chunked ${method} keeps its framing: its body is no second request`,
    source: 'CVE-2026-29057, GHSA-ggv3-7p47-pfv8, http-party/node-http-proxy#1720',
    run: async (world) => {
      const stage = await world.stage();
      const chunk = `${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`;
      await stage.send(stage.head(method, '/a', ['Transfer-Encoding: chunked']) + chunk, method);
      const got = await stage.agent.whole();
      same([got.head.framing, got.body.data.toString()], ['chunked', EVIL], 'body');
      same(stage.agent.received.length, 1, 'requests upstream');
      await (await stage.neighbour()).proveClean();
    },
  })),
  {
    id: 'advisories/CVE-2026-48931',
    rule: 'an unasked response on an idle connection answers no other tenant',
    source: 'CVE-2026-48931',
    run: async (world) => {
      const attacker = await world.stage(async (exchange) => {
        await exchange.body();
        const isAttacker = exchange.request.target.includes('attack');
        exchange.send(answer(200, 'own'));
        if (isAttacker)
          for (let i = 0; i < 5; i++) exchange.send(answer(200, 'POISON', ['Set-Cookie: stolen=1']));
      });
      const victim = await attacker.neighbour();
      for (let i = 0; i < 5; i++) {
        await attacker.ask('GET', '/attack');
        const got = await victim.ask('GET', `/v${i}`);
        same([got.body.toString(), got.raw.includes('stolen')], ['own', false], 'the victim’s answer');
      }
    },
  },
  ...(['length', 'chunked'] as const).map((framing): Case => ({
    id: `advisories/CVE-2026-58055-${framing}`,
    rule: 'an upgrade with a body cannot put a request onto a pooled connection',
    source: 'CVE-2026-58055',
    run: async (world) => {
      const stage = await world.stage(always(answer(403, 'no')));
      const wire =
        framing === 'length'
          ? stage.upgrade('/u', [`Content-Length: ${EVIL.length}`]) + EVIL
          : `${stage.upgrade('/u', ['Transfer-Encoding: chunked'])}${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`;
      same((await stage.send(wire)).answer.status, 400, 'status');
      await pause(20);
      same(stage.agent.received.length, 0, 'requests upstream');
      stage.agent.script = always(answer(200, 'ok'));
      await (await stage.neighbour()).proveClean();
    },
  })),
  {
    id: 'advisories/CVE-2026-44578',
    rule: 'an upgrade with an absolute-form target calls nobody else',
    source: 'CVE-2026-44578',
    run: async (world) => {
      const [stage, internal] = [await world.stage(), await world.stage()];
      for (const target of [
        `http://127.0.0.1:${internal.agent.port}/admin`,
        `http:127.0.0.1:${internal.agent.port}`,
        `//127.0.0.1:${internal.agent.port}/x`,
        `ws://127.0.0.1:${internal.agent.port}/`,
      ]) {
        const { answer: got } = await stage.send(stage.upgrade(target));
        check(
          got.status === 400 || (got.status === 101 && target.startsWith('//')),
          `${got.status} for ${target}`,
        );
      }
      same(internal.agent.connections.length, 0, 'connections to the internal service');
    },
  },
  ...DOORS.map((door): Case => ({
    id: `advisories/CVE-2026-55602-${door}`,
    rule: 'the Host match is anchored at both ends',
    source: 'CVE-2026-55602',
    variant: 'domains',
    run: async (world) => {
      const stage = await world.stage();
      for (const host of [
        `evil.test.${stage.host}`,
        `x${stage.host}`,
        `${stage.host}.evil.test`,
        `${stage.host}evil`,
        `a@${stage.host}`,
      ]) {
        const client = await stage.client();
        client.send(stage.knock(door, '/nothing').replace(`Host: ${stage.host}`, `Host: ${host}`));
        const got = await client.answer('GET', 2_000).catch(() => null);
        check(got === null || got.status >= 400, `${got?.status} for ${host}`);
      }
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
  ...DOORS.map((door): Case => ({
    id: `advisories/CVE-2021-33197-${door}`,
    rule: 'an empty first Connection line does not hide the second',
    source: 'CVE-2021-33197',
    run: async (world) => {
      const stage = await world.stage();
      await stage.send(
        stage.knock(door, '/', [
          'Connection:',
          'Connection: X-Forwarded-For, X-Forwarded-Host, X-Secret',
          'X-Secret: 1',
        ]),
      );
      const got = await stage.agent.request();
      same(
        [got.values('x-forwarded-for'), got.values('x-forwarded-host'), got.values('x-secret')],
        [['127.0.0.1'], [stage.host], []],
        'headers upstream',
      );
    },
  })),
  ...DOORS.map((door): Case => ({
    id: `advisories/CVE-2024-45410-${door}`,
    rule: 'Connection cannot remove the headers that the proxy sets',
    source: 'CVE-2024-45410, CVE-2025-48865',
    run: async (world) => {
      const stage = await world.stage();
      await stage.send(
        stage.knock(door, '/', [
          'Connection: close, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-For, X-Request-Id, Host',
        ]),
      );
      const got = await stage.agent.request();
      same(
        [got.values('x-forwarded-proto'), got.values('x-forwarded-host'), got.values('host')],
        [['http'], [stage.host], [stage.agent.address]],
        'headers upstream',
      );
    },
  })),
  ...['a=1;b=2', 'a=%zz', 'a=1&%=2', ';', 'a=1&a=2;a=3', '%', 'x=%00', 'a[]=1&a]=2', '=&=&&'].map(
    (query, i): Case => ({
      id: `advisories/CVE-2022-2880-${i}`,
      rule: 'unparsable query parameters go on as they came: the proxy parses no query',
      source: 'CVE-2022-2880, CVE-2026-39825',
      run: async (world) => {
        const stage = await world.stage();
        await stage.ask('GET', `/q?${query}`);
        same((await stage.agent.request()).target, `${stage.prefix}/q?${query}`, 'target');
      },
    }),
  ),
  {
    id: 'advisories/GHSA-v574-6498-x57v',
    rule: 'no two (sandbox, port, path) meet in one cache key or pool key',
    source: 'GHSA-v574-6498-x57v',
    run: async (world) => {
      const stage = await world.stage(
        async (exchange) => {
          exchange.send(answer(200, exchange.request.target));
          await exchange.body();
        },
        { port: 300 },
      );
      stage.ports.push(30, 3, 3001);
      for (const [port, path] of [
        ['300', '/1/x'],
        ['30', '/0/1/x'],
        ['3', '/00/1/x'],
        ['3001', '/x'],
      ] as const) {
        const got = (await stage.send(stage.head('GET', path).replace('300-', `${port}-`))).answer;
        same(got.body.toString(), `/proxy/${stage.id}/${port}${path}`, 'answer');
      }
    },
  },
  ...[
    'application/json',
    ' application/json',
    'application/json ; charset=utf-8',
    'application/\tjson',
    'APPLICATION/JSON',
    'text/plain',
    'application/x-www-form-urlencoded',
  ].map((type, i): Case => ({
    id: `advisories/GHSA-v2v2-hph8-q5xp-${i}`,
    rule: 'a body is not parsed and written anew, whatever its Content-Type',
    source: 'GHSA-v2v2-hph8-q5xp, CVE-2025-32996, nestjs/nest#9348',
    run: async (world) => {
      const stage = await world.stage();
      const body = '{ "b":1e400,"a" : 1, "a":2,"n":12345678901234567890}\r\n';
      await stage.ask('POST', '/v1/teams', [`Content-Type:${type}`], body);
      const got = await stage.agent.whole();
      same([got.body.data.toString(), got.values('content-length')], [body, [String(body.length)]], 'body');
    },
  })),
  ...DOORS.map((door): Case => ({
    id: `advisories/GHSA-2q7r-29rg-6m5h-${door}`,
    rule: 'encoded dots reach no other tenant, with a valid key and a known victim',
    source: 'GHSA-2q7r-29rg-6m5h, GHSA-q3j6-qgpj-74h6, kortix-ai/suna#5710',
    run: async (world) => {
      const attacker = await world.stage();
      const victim = await attacker.neighbour();
      for (const dots of [
        '..',
        '%2e%2e',
        '%2E.',
        '.%2e',
        '..%2f..',
        '..%5c..',
        '..\\..',
        '%2e%2e%2f%2e%2e',
      ]) {
        for (const path of [
          `/${dots}/${dots}/${victim.id}/3000/secret`,
          `/x/${dots}/${dots}/${dots}/${victim.id}/3000/secret`,
        ]) {
          const client = await attacker.client();
          client.send(attacker.knock(door, path));
          await client.answer();
          client.destroy();
        }
      }
      for (const received of attacker.agent.received)
        check(received.target.startsWith(`${attacker.prefix}/`), `reached ${received.target}`);
    },
  })),
  {
    id: 'advisories/CVE-2026-21710',
    rule: '__proto__ as a header name is a header like any other',
    source: 'CVE-2026-21710',
    run: async (world) => {
      const stage = await world.stage(always(answer(200, 'ok', ['__proto__: 3', 'constructor: 4'])));
      const got = await stage.ask('GET', '/', ['__proto__: 1', '__proto__: 2']);
      same(
        got.fields.filter(([name]) => name === '__proto__'),
        [['__proto__', '3']],
        'towards the client',
      );
      same((await stage.agent.request()).values('__proto__'), ['1', '2'], 'upstream');
    },
  },
];
