import { randomUUID } from 'node:crypto';
import { assert, expect } from 'vitest';
import { DOORS } from '../kit/requests.js';
import { sandboxId } from '../kit/platform-rows.js';
import { test } from './test.js';

/** Heads without end, names without end: answered, and the process goes on. */
for (const count of [300, 2_100, 20_000] as const)
  for (const door of DOORS)
    test(`advisories/CVE-2024-37890-${door}-${count} — ${count} headers are passed on whole or answered 431, and the process goes on [CVE-2024-37890]`, async (world) => {
      const stage = await world.stage();
      const lines = Array.from({ length: count }, (_, i) => `a${i}:`);
      const client = await stage.client();
      client.send(stage.knock(door, '/', lines));
      const got = await client.answer();
      assert([200, 101, 431, 400].includes(got.status), `status ${got.status}`);
      if (got.status === 200 || got.status === 101) {
        const seen = (await stage.agent.request()).head.fields.filter(([name]) => /^a\d+$/.test(name)).length;
        expect(seen, 'headers upstream: none may be lost silently').toEqual(count);
      }
      await stage.proveClean();
    });

test('advisories/unknown-id-flood — many unknown sandboxes are each a 404 and no connection [CWE-770]', async (world) => {
  const stage = await world.stage();
  const client = await stage.client();
  const unknown = () => stage.head('GET', '/').replace(stage.id, sandboxId(randomUUID()));
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 20; i++) client.send(unknown());
    for (let i = 0; i < 20; i++) expect((await client.answer()).status, 'status').toEqual(404);
  }
});

for (const [name, change, want] of [
  ['head-64k', (h: string) => h.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(65_536)}\r\n\r\n`), [431]],
  ['head-1m', (h: string) => h.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(1_048_576)}\r\n\r\n`), [431]],
  ['target-64k', (h: string) => h.replace(' /long', ` /${'t'.repeat(65_536)}`), [414, 431]],
  ['head-12k', (h: string) => h.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(12_000)}\r\n\r\n`), [200, 101]],
] as [string, (head: string) => string, number[]][])
  for (const door of DOORS)
    test(`advisories/limits-${door}-${name} — a head beyond the limit is answered ${want.join(' or ')}, and the process goes on [RFC 6585 5; RFC 9110 15.5.15]`, async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(change(stage.knock(door, '/long')));
      const got = await client.answer();
      assert(want.includes(got.status), `status ${got.status}`);
      await stage.proveClean();
    });
