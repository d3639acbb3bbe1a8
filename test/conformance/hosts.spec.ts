import { expect } from 'vitest';
import { valueOf } from '../kit/answer.js';
import { type Door, DOORS } from '../kit/requests.js';
import { test } from './test.js';
import { checkNotOurs, checkOwn, type Stage } from './world.js';

/** Same request, other Host line. */
function withHost(stage: Stage, door: Door, host: string): string {
  return stage.knock(door, '/h').replace(`Host: ${stage.host}`, `Host: ${host}`);
}

type Row = [name: string, host: (stage: Stage) => string, source: string];

const GOOD: Row[] = [
  ['port', (s) => `${s.host}:8443`, 'RFC 9110 7.2'],
  ['port-80', (s) => `${s.host}:80`, 'RFC 9110 7.2'],
  ['trailing-dot', (s) => `${s.host}.`, 'RFC 9110 7.2'],
  ['trailing-dot-port', (s) => `${s.host}.:8000`, 'RFC 9110 7.2'],
  ['upper-case', (s) => s.host.toUpperCase(), 'RFC 9110 4.2.3'],
  ['mixed-case', (s) => s.host.replace('cl-', 'Cl-').replace('sandbox', 'SandBox'), 'RFC 9110 4.2.3'],
  ['localhost', (s) => s.host.replace('sandbox.test', 'localhost'), 'README'],
  ['deep-domain', (s) => s.host.replace('sandbox.test', 'a.b.c.example.co.uk'), 'README'],
  ['spaces-around', (s) => `  ${s.host}\t`, 'RFC 9110 5.5'],
  ['port-leading-zeros', (s) => s.host.replace('3000-', '03000-'), 'README'],
];

for (const [name, host, source] of GOOD)
  for (const door of DOORS)
    test(`hosts/${door}/good-${name} — another spelling of the same host name is the same sandbox [${source}]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(withHost(stage, door, host(stage)));
      expect(answer.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
      expect((await stage.agent.request()).target, 'target upstream').toEqual(`${stage.prefix}/h`);
    });

type BadRow = [name: string, host: (stage: Stage) => string, code: string | null, source: string];
const BAD: BadRow[] = [
  ['port-0', (s) => s.host.replace('3000-', '0-'), 'invalid_port', 'RFC 3986 3.2.3'],
  ['port-65536', (s) => s.host.replace('3000-', '65536-'), 'invalid_port', 'RFC 3986 3.2.3'],
  ['port-99999', (s) => s.host.replace('3000-', '99999-'), 'invalid_port', 'RFC 3986 3.2.3'],
  ['port-huge', (s) => s.host.replace('3000-', `${'9'.repeat(40)}-`), 'invalid_port', 'RFC 3986 3.2.3'],
  ['port-2^32', (s) => s.host.replace('3000-', '4294970296-'), 'invalid_port', 'RFC 3986 3.2.3'],
  ['id-short', (s) => s.host.replace(s.id, s.id.slice(0, -1)), 'invalid_sandbox_id', 'README'],
  ['id-long', (s) => s.host.replace(s.id, `${s.id}0`), 'invalid_sandbox_id', 'README'],
  ['id-one', (s) => s.host.replace(s.id, 'cl-1'), 'invalid_sandbox_id', 'README'],
  ['id-overflow', (s) => s.host.replace(s.id, `cl-${'z'.repeat(25)}`), 'invalid_sandbox_id', 'README'],
  ['id-2^128', (s) => s.host.replace(s.id, 'cl-f5lxx1zz5pnorynqglhzmsp34'), 'invalid_sandbox_id', 'README'],
  ['userinfo', (s) => `user@${s.host}`, 'invalid_host', 'RFC 9110 7.2'],
  ['userinfo-password', (s) => `user:pw@${s.host}`, 'invalid_host', 'RFC 9110 7.2'],
  ['userinfo-behind', (s) => `${s.host}@evil.test`, 'invalid_host', 'RFC 9110 7.2'],
  ['port-letters', (s) => `${s.host}:http`, 'invalid_host', 'RFC 9110 7.2'],
  ['port-negative', (s) => `${s.host}:-1`, 'invalid_host', 'RFC 9110 7.2'],
  ['port-two', (s) => `${s.host}:80:80`, 'invalid_host', 'RFC 9110 7.2'],
  ['port-many-digits', (s) => `${s.host}:808080`, 'invalid_host', 'RFC 9110 7.2'],
  ['path', (s) => `${s.host}/x`, 'invalid_host', 'RFC 9110 7.2'],
  ['backslash', (s) => `${s.host}\\x`, 'invalid_host', 'RFC 9110 7.2'],
  ['query', (s) => `${s.host}?x`, 'invalid_host', 'RFC 9110 7.2'],
  ['fragment', (s) => `${s.host}#x`, 'invalid_host', 'RFC 9110 7.2'],
  ['space', (s) => `${s.host} x`, 'invalid_host', 'RFC 9110 7.2'],
  ['comma', (s) => `${s.host}, evil.test`, 'invalid_host', 'RFC 9110 7.2'],
  ['percent', (s) => `${s.host}%00`, 'invalid_host', 'RFC 9110 7.2'],
  ['high-byte', (s) => `${s.host}\xe9`, 'invalid_host', 'RFC 9110 7.2'],
  ['double-dot', (s) => s.host.replace('sandbox.test', 'sandbox..test'), 'invalid_host', 'RFC 9110 7.2'],
  ['tab-inside', (s) => s.host.replace('.', '.\t'), 'invalid_host', 'RFC 9110 7.2'],
];

for (const [name, host, code, source] of BAD)
  for (const door of DOORS)
    test(`hosts/${door}/bad-${name} — a host name that means a sandbox and is malformed is ${code} [${source}]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(withHost(stage, door, host(stage)));
      expect([answer.status, valueOf(answer.fields, 'x-sandbox-error')], 'answer').toEqual([
        400,
        `proxy;${code}`,
      ]);
      expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
    });

const NOT_OURS: Row[] = [
  ['prefix-glued', (s) => `evil${s.host}`, 'CVE-2026-55602'],
  ['prefix-label', (s) => `evil.${s.host}`, 'CVE-2026-55602'],
  ['prefix-dash', (s) => `-${s.host}`, 'CVE-2026-55602'],
  ['no-domain', (s) => s.host.replace('.sandbox.test', ''), 'README'],
  ['no-port', (s) => s.host.replace('3000-', ''), 'README'],
  ['port-letters', (s) => s.host.replace('3000-', '3000x-'), 'README'],
  ['port-plus', (s) => s.host.replace('3000-', '+3000-'), 'README'],
  ['other-prefix', (s) => s.host.replace('cl-', 'team-'), 'README'],
  ['api', () => 'api.sandbox.test', 'README'],
  ['underscore', (s) => s.host.replace('cl-', 'cl_'), 'README'],
  ['space-before-dash', (s) => s.host.replace('3000-', '3000 -'), 'CVE-2026-55602'],
];

for (const [name, host, source] of NOT_OURS)
  for (const door of DOORS)
    test(`hosts/${door}/not-ours-${name} — a name that only resembles a sandbox’s reaches no sandbox [${source}]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(withHost(stage, door, host(stage)));
      checkNotOurs(answer);
      expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
    });

for (const door of DOORS) {
  for (const [name, lines] of [
    ['two', (s: Stage) => [`Host: ${s.host}`, 'Host: evil.test']],
    ['two-equal', (s: Stage) => [`Host: ${s.host}`, `host: ${s.host}`]],
    ['ours-second', (s: Stage) => ['Host: api.test', `Host: ${s.host}`]],
    ['two-sandboxes', (s: Stage) => [`Host: ${s.host}`, `Host: ${s.host.replace('3000', '3001')}`]],
    ['none', () => []],
    ['empty', () => ['Host:']],
    ['space-before-colon', (s: Stage) => [`Host : ${s.host}`]],
  ] as [string, (s: Stage) => string[]][])
    test(`hosts/${door}/lines-${name} — ${
      name === 'empty' ? 'an empty Host line names no sandbox' : 'not exactly one Host line is a 400'
    } [RFC 9112 3.2]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(
        stage.knock(door, '/h').replace(
          `Host: ${stage.host}\r\n`,
          lines(stage)
            .map((line) => `${line}\r\n`)
            .join(''),
        ),
      );
      if (name === 'empty') checkNotOurs(answer);
      else expect(answer.status, 'status').toEqual(400);
      expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
    });

  test(`hosts/${door}/domains-limited — with SANDBOX_DOMAINS set only those domains, whole and in any case, are sandboxes [CVE-2026-55602]`, async (base) => {
    const world = await base.on('domains');
    const stage = await world.stage();
    const label = stage.host.slice(0, stage.host.indexOf('.'));
    const ok = door === 'HTTP' ? 200 : 101;
    for (const [domain, isOurs] of [
      ['sandbox.test', true],
      ['SANDBOX.test.', true],
      ['example.com', true],
      ['sandbox.test:81', true],
      ['evil.test', false],
      ['sandbox.test.evil.test', false],
      ['evilsandbox.test', false],
      ['a.sandbox.test', false],
      ['sandbox.tes', false],
      ['sandboxxtest', false],
    ] as const) {
      const { answer } = await stage.send(withHost(stage, door, `${label}.${domain}`));
      if (isOurs) expect(answer.status, `status for ${domain}`).toEqual(ok);
      else checkNotOurs(answer);
    }
    expect(stage.agent.received.length, 'requests upstream').toEqual(4);
  });

  test(`hosts/${door}/http10-without-host — an HTTP/1.0 request without Host reaches no sandbox [RFC 9112 3.2]`, async (world) => {
    const stage = await world.stage();
    const { answer } = await stage.send(
      stage.knock(door, '/h').replace('HTTP/1.1', 'HTTP/1.0').replace(`Host: ${stage.host}\r\n`, ''),
    );
    checkNotOurs(answer);
    expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
  });
}

for (const port of [1, 23, 80, 443, 8080, 65_535])
  for (const door of DOORS)
    test(`hosts/${door}/port-${port} — the port in the host name is the port in the path upstream [README]`, async (world) => {
      const stage = await world.stage(undefined, { port });
      const { answer } = await stage.send(stage.knock(door, '/p'));
      expect(answer.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
      expect((await stage.agent.request()).target, 'target upstream').toEqual(`/proxy/${stage.id}/${port}/p`);
    });

for (const port of [22, 49_983])
  for (const door of DOORS)
    test(`hosts/${door}/denied-port-${port} — a port of DENIED_PORTS is 404 for everyone, also with leading zeros, of which a port has five digits at most [CWE-441]`, async (world) => {
      const stage = await world.stage(undefined, { port });
      const digits = String(port).length;
      for (let zeros = 0; zeros <= 6 - digits; zeros++) {
        const { answer } = await stage.send(withHost(stage, door, `${'0'.repeat(zeros)}${stage.host}`));
        if (digits + zeros <= 5) checkOwn(answer, 404, 'port_denied');
        else checkOwn(answer, 400, 'invalid_port');
      }
      expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
    });
