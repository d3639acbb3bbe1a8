import { type Case, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { newTeam, sandboxId } from '../harness/platform.js';
import { WEBSOCKET_LINES } from '../harness/world.js';

/** Heads without end, names without end: answered, and the process goes on. */
export const limits: readonly Case[] = [
  ...([300, 2_100, 20_000] as const).flatMap((count) =>
    DOORS.map((door): Case => ({
      id: `advisories/CVE-2024-37890-${door}-${count}`,
      rule: `${count} headers are passed on whole or answered 431, and the process goes on`,
      source: 'CVE-2024-37890',
      run: async (world) => {
        const stage = await world.stage();
        const lines = Array.from({ length: count }, (_, i) => `a${i}:`);
        const client = await stage.client();
        client.send(stage.knock(door, '/', lines));
        const got = await client.answer('GET', 6_000);
        check([200, 101, 431, 400].includes(got.status), `status ${got.status}`);
        if (got.status === 200 || got.status === 101) {
          const seen = (await stage.agent.request()).head.fields.filter(([name]) =>
            /^a\d+$/.test(name),
          ).length;
          same(seen, count, 'headers upstream: none may be lost silently');
        }
        await stage.proveClean();
      },
    })),
  ),
  {
    id: 'advisories/unknown-id-flood',
    rule: 'many unknown sandboxes are each a 404 and no connection',
    source: 'issue 4: distinct unknown ids',
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      for (let i = 0; i < 200; i++)
        client.send(stage.head('GET', '/').replace(stage.id, sandboxId(newTeam().uuid)));
      for (let i = 0; i < 200; i++) same((await client.answer()).status, 404, 'status');
    },
  },
  ...(
    [
      ['head-64k', (h: string) => h.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(65_536)}\r\n\r\n`), [431]],
      ['head-1m', (h: string) => h.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(1_048_576)}\r\n\r\n`), [431]],
      ['target-64k', (h: string) => h.replace(' /long', ` /${'t'.repeat(65_536)}`), [414, 431]],
      [
        'head-12k',
        (h: string) => h.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(12_000)}\r\n\r\n`),
        [200, 101],
      ],
    ] as [string, (head: string) => string, number[]][]
  ).flatMap(([name, change, want]) =>
    DOORS.map((door): Case => ({
      id: `advisories/limits-${door}-${name}`,
      rule: `a head beyond the limit is answered ${want.join(' or ')}, and the process goes on`,
      source: 'RFC 6585 5; RFC 9110 15.5.15',
      run: async (world) => {
        const stage = await world.stage();
        const client = await stage.client();
        client.send(change(stage.knock(door, '/long')));
        const got = await client.answer('GET', 4_000);
        check(want.includes(got.status), `status ${got.status}`);
        await stage.proveClean();
      },
    })),
  ),
  {
    id: 'advisories/slow-head',
    rule: 'a head that does not come is given up after the header timeout, with 408 or an end',
    source: 'issue 2: header timeout 10 s',
    timeoutMs: 60_000,
    slow: true,
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(stage.bare('GET / HTTP/1.1', WEBSOCKET_LINES).slice(0, 60));
      await client.closed(45_000);
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  },
];
