import { type Case, type Door, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { valueOf } from '../harness/response-reader.js';
import type { Stage } from '../harness/world.js';

/** Same request, other Host line. */
function withHost(stage: Stage, door: Door, host: string): string {
  return stage.knock(door, '/h').replace(`Host: ${stage.host}`, `Host: ${host}`);
}

type Row = [name: string, host: (stage: Stage) => string, source: string];

const GOOD: Row[] = [
  ['port', (s) => `${s.host}:8443`, 'architecture 3'],
  ['port-80', (s) => `${s.host}:80`, 'architecture 3'],
  ['trailing-dot', (s) => `${s.host}.`, 'architecture 3'],
  ['trailing-dot-port', (s) => `${s.host}.:8000`, 'architecture 3'],
  ['upper-case', (s) => s.host.toUpperCase(), 'RFC 9110 4.2.3'],
  ['mixed-case', (s) => s.host.replace('cl-', 'Cl-').replace('sandbox', 'SandBox'), 'RFC 9110 4.2.3'],
  ['localhost', (s) => s.host.replace('sandbox.test', 'localhost'), 'architecture 3'],
  ['deep-domain', (s) => s.host.replace('sandbox.test', 'a.b.c.example.co.uk'), 'architecture 3'],
  ['spaces-around', (s) => `  ${s.host}\t`, 'RFC 9110 5.5'],
  ['port-leading-zeros', (s) => s.host.replace('3000-', '03000-'), 'architecture 3'],
];
const good = GOOD.flatMap(([name, host, source]) =>
  DOORS.map((door): Case => ({
    id: `hosts/${door}/good-${name}`,
    rule: 'another spelling of the same host name is the same sandbox',
    source,
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(withHost(stage, door, host(stage)));
      same(answer.status, door === 'http' ? 200 : 101, 'status');
      same((await stage.agent.request()).target, `${stage.prefix}/h`, 'target upstream');
    },
  })),
);

type BadRow = [name: string, host: (stage: Stage) => string, code: string | null, source: string];
const BAD: BadRow[] = [
  ['port-0', (s) => s.host.replace('3000-', '0-'), 'invalid_port', 'architecture 5'],
  ['port-65536', (s) => s.host.replace('3000-', '65536-'), 'invalid_port', 'architecture 5'],
  ['port-99999', (s) => s.host.replace('3000-', '99999-'), 'invalid_port', 'architecture 5'],
  ['port-huge', (s) => s.host.replace('3000-', `${'9'.repeat(40)}-`), 'invalid_port', 'architecture 5'],
  ['port-2^32', (s) => s.host.replace('3000-', '4294970296-'), 'invalid_port', 'architecture 5'],
  ['id-short', (s) => s.host.replace(s.id, s.id.slice(0, -1)), 'invalid_sandbox_id', 'architecture 3'],
  ['id-long', (s) => s.host.replace(s.id, `${s.id}0`), 'invalid_sandbox_id', 'architecture 3'],
  ['id-one', (s) => s.host.replace(s.id, 'cl-1'), 'invalid_sandbox_id', 'architecture 3'],
  [
    'id-overflow',
    (s) => s.host.replace(s.id, `cl-${'z'.repeat(25)}`),
    'invalid_sandbox_id',
    'architecture 3',
  ],
  [
    'id-2^128',
    (s) => s.host.replace(s.id, 'cl-f5lxx1zz5pnorynqglhzmsp34'),
    'invalid_sandbox_id',
    'architecture 3',
  ],
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
const bad = BAD.flatMap(([name, host, code, source]) =>
  DOORS.map((door): Case => ({
    id: `hosts/${door}/bad-${name}`,
    rule: `a host name that means a sandbox and is malformed is ${code}`,
    source,
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(withHost(stage, door, host(stage)));
      same([answer.status, valueOf(answer.fields, 'x-sandbox-error')], [400, `proxy;${code}`], 'answer');
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
);

const NOT_OURS: Row[] = [
  ['prefix-glued', (s) => `evil${s.host}`, 'CVE-2026-55602'],
  ['prefix-label', (s) => `evil.${s.host}`, 'CVE-2026-55602'],
  ['prefix-dash', (s) => `-${s.host}`, 'CVE-2026-55602'],
  ['no-domain', (s) => s.host.replace('.sandbox.test', ''), 'architecture 3'],
  ['no-port', (s) => s.host.replace('3000-', ''), 'architecture 3'],
  ['port-letters', (s) => s.host.replace('3000-', '3000x-'), 'architecture 3'],
  ['port-plus', (s) => s.host.replace('3000-', '+3000-'), 'architecture 3'],
  ['other-prefix', (s) => s.host.replace('cl-', 'team-'), 'architecture 3'],
  ['api', () => 'api.sandbox.test', 'architecture 1'],
  ['underscore', (s) => s.host.replace('cl-', 'cl_'), 'architecture 3'],
  ['space-before-dash', (s) => s.host.replace('3000-', '3000 -'), 'CVE-2026-55602'],
];
const notOurs = NOT_OURS.flatMap(([name, host, source]) =>
  DOORS.map((door): Case => ({
    id: `hosts/${door}/not-ours-${name}`,
    rule: 'a name that only resembles a sandbox’s reaches no sandbox',
    source,
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(withHost(stage, door, host(stage)));
      const got = await client.answer('GET', 3_000).catch(() => null);
      check(got === null || got.status >= 400, `status ${got?.status}`);
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
);

const several = DOORS.flatMap((door): Case[] => [
  ...(
    [
      ['two', (s: Stage) => [`Host: ${s.host}`, 'Host: evil.test']],
      ['two-equal', (s: Stage) => [`Host: ${s.host}`, `host: ${s.host}`]],
      ['ours-second', (s: Stage) => ['Host: api.test', `Host: ${s.host}`]],
      ['two-sandboxes', (s: Stage) => [`Host: ${s.host}`, `Host: ${s.host.replace('3000', '3001')}`]],
      ['none', () => []],
      ['empty', () => ['Host:']],
      ['space-before-colon', (s: Stage) => [`Host : ${s.host}`]],
    ] as [string, (s: Stage) => string[]][]
  ).map(([name, lines]): Case => ({
    id: `hosts/${door}/lines-${name}`,
    rule: 'not exactly one Host line: 400 (or not ours), never a sandbox',
    source: 'RFC 9112 3.2',
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(
        stage.knock(door, '/h').replace(
          `Host: ${stage.host}\r\n`,
          lines(stage)
            .map((line) => `${line}\r\n`)
            .join(''),
        ),
      );
      if (name === 'empty') check(answer.status >= 400, `status ${answer.status}`);
      else same(answer.status, 400, 'status');
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
  {
    id: `hosts/${door}/domains-limited`,
    rule: 'with SANDBOX_DOMAINS set only those domains, whole and in any case, are sandboxes',
    source: 'CVE-2026-55602; architecture 3',
    variant: 'domains',
    run: async (world) => {
      const stage = await world.stage();
      const label = stage.host.slice(0, stage.host.indexOf('.'));
      const ok = door === 'http' ? 200 : 101;
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
        const client = await stage.client();
        client.send(withHost(stage, door, `${label}.${domain}`));
        const got = await client.answer('GET', 3_000).catch(() => null);
        if (isOurs) same(got?.status, ok, `status for ${domain}`);
        else check(got === null || got.status >= 400, `status ${got?.status} for ${domain}`);
      }
      same(stage.agent.received.length, 4, 'requests upstream');
    },
  },
  {
    id: `hosts/${door}/http10-without-host`,
    rule: 'an HTTP/1.0 request without Host reaches no sandbox',
    source: 'RFC 9112 3.2',
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(
        stage.knock(door, '/h').replace('HTTP/1.1', 'HTTP/1.0').replace(`Host: ${stage.host}\r\n`, ''),
      );
      const got = await client.answer('GET', 3_000).catch(() => null);
      check(got === null || got.status >= 400, `status ${got?.status}`);
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  },
]);

const ports: Case[] = [1, 23, 80, 443, 8080, 65_535].flatMap((port) =>
  DOORS.map((door): Case => ({
    id: `hosts/${door}/port-${port}`,
    rule: 'the port in the host name is the port in the path upstream',
    source: 'architecture 3',
    run: async (world) => {
      const stage = await world.stage(undefined, { port });
      const { answer } = await stage.send(stage.knock(door, '/p'));
      same(answer.status, door === 'http' ? 200 : 101, 'status');
      same((await stage.agent.request()).target, `/proxy/${stage.id}/${port}/p`, 'target upstream');
    },
  })),
);

const denied: Case[] = [22, 49_983].flatMap((port) =>
  DOORS.map((door): Case => ({
    id: `hosts/${door}/denied-port-${port}`,
    rule: 'a port of DENIED_PORTS is 404 for everyone, also with leading zeros',
    source: 'architecture 5',
    run: async (world) => {
      const stage = await world.stage(undefined, { port });
      for (const host of [stage.host, `000${stage.host}`]) {
        const { answer } = await stage.send(
          stage.knock(door, '/').replace(`Host: ${stage.host}`, `Host: ${host}`),
        );
        check(
          answer.status === 404 || (host !== stage.host && answer.status === 400),
          `status ${answer.status}`,
        );
      }
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
);

export const hosts: readonly Case[] = [...good, ...bad, ...notOurs, ...several, ...ports, ...denied];
