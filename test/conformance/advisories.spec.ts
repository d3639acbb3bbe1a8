import { assert, expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import type { Answer } from '../kit/answer.js';
import { DOORS } from '../kit/requests.js';
import { test } from './test.js';
import { checkNotOurs, checkOwn } from './world.js';

const EVIL = 'GET /proxy/evil/1/ HTTP/1.1\r\nHost: evil\r\n\r\n';

/** The attacks of the advisories as they were published, one by one; the rules behind them have tables elsewhere. */
for (const method of ['DELETE', 'OPTIONS', 'GET', 'HEAD', 'PATCH'])
  test(`advisories/CVE-2026-29057-${method} — a chunked ${method} keeps its framing: its body is no second request [CVE-2026-29057, GHSA-ggv3-7p47-pfv8, http-party/node-http-proxy#1720]`, async (world) => {
    const stage = await world.stage();
    const chunk = `${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`;
    await stage.send(stage.head(method, '/a', ['Transfer-Encoding: chunked']) + chunk, method);
    const got = await stage.agent.whole();
    expect([got.head.framing, got.body.data.toString()], 'body').toEqual(['chunked', EVIL]);
    expect(stage.agent.received.length, 'requests upstream').toEqual(1);
    await (await stage.neighbour()).proveClean();
  });

test('advisories/CVE-2026-48931 — an unasked response on an idle connection answers no other tenant [CVE-2026-48931]', async (world) => {
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
    expect([got.body, got.raw.includes('stolen')], 'the victim’s answer').toEqual(['own', false]);
  }
});

for (const framing of ['length', 'chunked'] as const)
  test(`advisories/CVE-2026-58055-${framing} — an upgrade with a body cannot put a request onto a pooled connection [CVE-2026-58055]`, async (world) => {
    const stage = await world.stage(always(answer(403, 'no')));
    const wire =
      framing === 'length'
        ? stage.upgrade('/u', [`Content-Length: ${EVIL.length}`]) + EVIL
        : `${stage.upgrade('/u', ['Transfer-Encoding: chunked'])}${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`;
    expect((await stage.send(wire)).answer.status, 'status').toEqual(400);
    stage.agent.script = always(answer(200, 'ok'));
    const neighbour = await stage.neighbour();
    await neighbour.proveClean();
    const prefixes = stage.agent.received.map((one) => one.target.slice(0, neighbour.prefix.length));
    expect(prefixes, 'requests upstream').toEqual([neighbour.prefix]);
  });

test('advisories/CVE-2026-44578 — an upgrade with an absolute-form target calls nobody else [CVE-2026-44578]', async (world) => {
  const [stage, internal] = [await world.stage(), await world.stage()];
  const address = `127.0.0.1:${internal.agent.port}`;
  for (const [target, status] of [
    [`http://${address}/admin`, 400],
    [`http:${address}`, 400],
    [`ws://${address}/`, 400],
    // a path like any other
    [`//${address}/x`, 101],
  ] as const)
    expect((await stage.send(stage.upgrade(target))).answer.status, target).toEqual(status);
  expect(
    stage.agent.received.map((one) => one.target),
    'targets upstream',
  ).toEqual([`${stage.prefix}//${address}/x`]);
  expect(internal.agent.connections.length, 'connections to the internal service').toEqual(0);
});

for (const door of DOORS)
  test(`advisories/CVE-2026-55602-${door} — the Host match is anchored at both ends [CVE-2026-55602]`, async (base) => {
    const world = await base.on('domains');
    const stage = await world.stage();
    const at = async (host: string): Promise<Answer> =>
      (await stage.send(stage.knock(door, '/nothing').replace(`Host: ${stage.host}`, `Host: ${host}`)))
        .answer;
    for (const host of [
      `evil.test.${stage.host}`,
      `x${stage.host}`,
      `${stage.host}.evil.test`,
      `${stage.host}evil`,
    ])
      checkNotOurs(await at(host));
    checkOwn(await at(`a@${stage.host}`), 400, 'invalid_host');
    expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
  });

for (const door of DOORS)
  test(`advisories/CVE-2021-33197-${door} — an empty first Connection line does not hide the second [CVE-2021-33197]`, async (world) => {
    const stage = await world.stage();
    await stage.send(
      stage.knock(door, '/', [
        'Connection:',
        'Connection: X-Forwarded-For, X-Sandbox-Url, X-Secret',
        'X-Secret: 1',
      ]),
    );
    const got = await stage.agent.request();
    expect(
      [got.values('x-forwarded-for'), got.values('x-sandbox-url'), got.values('x-secret')],
      'headers upstream',
    ).toEqual([['127.0.0.1'], [`http://${stage.host}`], []]);
  });

for (const door of DOORS)
  test(`advisories/CVE-2024-45410-${door} — Connection cannot remove the headers that the proxy sets [CVE-2024-45410, CVE-2025-48865]`, async (world) => {
    const stage = await world.stage();
    await stage.send(
      stage.knock(door, '/', ['Connection: close, X-Sandbox-Url, X-Forwarded-For, X-Request-Id, Host']),
    );
    const got = await stage.agent.request();
    expect(
      [got.values('x-forwarded-for'), got.values('x-sandbox-url'), got.values('host')],
      'headers upstream',
    ).toEqual([['127.0.0.1'], [`http://${stage.host}`], [stage.agent.address]]);
  });

for (const [i, query] of [
  'a=1;b=2',
  'a=%zz',
  'a=1&%=2',
  ';',
  'a=1&a=2;a=3',
  '%',
  'x=%00',
  'a[]=1&a]=2',
  '=&=&&',
].entries())
  test(`advisories/CVE-2022-2880-${i} — unparsable query parameters go on as they came: the proxy parses no query [CVE-2022-2880, CVE-2026-39825]`, async (world) => {
    const stage = await world.stage();
    await stage.ask('GET', `/q?${query}`);
    expect((await stage.agent.request()).target, 'target').toEqual(`${stage.prefix}/q?${query}`);
  });

test('advisories/GHSA-v574-6498-x57v — no two (sandbox, port, path) meet in one cache key or pool key [GHSA-v574-6498-x57v]', async (world) => {
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
    expect(got.body, 'answer').toEqual(`/proxy/${stage.id}/${port}${path}`);
  }
});

for (const [i, type] of [
  'application/json',
  ' application/json',
  'application/json ; charset=utf-8',
  'application/\tjson',
  'APPLICATION/JSON',
  'text/plain',
  'application/x-www-form-urlencoded',
].entries())
  test(`advisories/GHSA-v2v2-hph8-q5xp-${i} — a body is not parsed and written anew, whatever its Content-Type [GHSA-v2v2-hph8-q5xp, CVE-2025-32996, nestjs/nest#9348]`, async (world) => {
    const stage = await world.stage();
    const body = '{ "b":1e400,"a" : 1, "a":2,"n":12345678901234567890}\r\n';
    await stage.ask('POST', '/v1/teams', [`Content-Type:${type}`], body);
    const got = await stage.agent.whole();
    expect([got.body.data.toString(), got.values('content-length')], 'body').toEqual([
      body,
      [String(body.length)],
    ]);
  });

for (const door of DOORS)
  test(`advisories/GHSA-2q7r-29rg-6m5h-${door} — encoded dots reach no other tenant, with a valid key and a known victim [GHSA-2q7r-29rg-6m5h, GHSA-q3j6-qgpj-74h6, kortix-ai/suna#5710]`, async (world) => {
    const attacker = await world.stage();
    const victim = await attacker.neighbour();
    for (const dots of ['..', '%2e%2e', '%2E.', '.%2e', '..%2f..', '..%5c..', '..\\..', '%2e%2e%2f%2e%2e']) {
      for (const path of [
        `/${dots}/${dots}/${victim.id}/3000/secret`,
        `/x/${dots}/${dots}/${dots}/${victim.id}/3000/secret`,
      ]) {
        const client = await attacker.client();
        client.send(attacker.knock(door, path));
        await client.answer();
        client.close();
      }
    }
    for (const received of attacker.agent.received)
      assert(received.target.startsWith(`${attacker.prefix}/`), `reached ${received.target}`);
  });

test('advisories/CVE-2026-21710 — __proto__ as a header name is a header like any other [CVE-2026-21710]', async (world) => {
  const stage = await world.stage(always(answer(200, 'ok', ['__proto__: 3', 'constructor: 4'])));
  const got = await stage.ask('GET', '/', ['__proto__: 1', '__proto__: 2']);
  expect(
    got.fields.filter(([name]) => name === '__proto__'),
    'towards the client',
  ).toEqual([['__proto__', '3']]);
  expect((await stage.agent.request()).values('__proto__'), 'upstream').toEqual(['1', '2']);
});
