import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { DOORS } from '../kit/requests.js';
import { sandboxId } from '../kit/platform-rows.js';
import { test } from './test.js';
import { checkCode } from './world.js';

/** Heads without end, names without end: answered, and the process goes on. */
for (const [count, isTaken] of [
  [300, true],
  [2_100, true],
  [20_000, false],
] as const)
  for (const door of DOORS)
    test(`advisories/CVE-2024-37890-${door}-${count} — ${count} headers are ${
      isTaken ? 'passed on whole' : 'answered 431, and the process goes on'
    } [CVE-2024-37890]`, async (world) => {
      const stage = await world.stage();
      const lines = Array.from({ length: count }, (_, i) => `a${i}:`);
      const client = await stage.client();
      client.send(stage.knock(door, '/', lines));
      const got = await client.answer();
      if (isTaken) {
        expect(got.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
        const seen = (await stage.agent.request()).head.fields.filter(([name]) => /^a\d+$/.test(name)).length;
        expect(seen, 'headers upstream: none may be lost silently').toEqual(count);
      } else checkCode(got, 431, 'headers_too_large');
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
  expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
});

const withLine = (bytes: number) => (head: string) =>
  head.replace('\r\n\r\n', `\r\nX-L: ${'l'.repeat(bytes)}\r\n\r\n`);

for (const [name, change, isTaken] of [
  ['head-64k', withLine(65_536), false],
  ['head-1m', withLine(1_048_576), false],
  ['target-64k', (head) => head.replace(' /long', ` /${'t'.repeat(65_536)}`), false],
  ['head-12k', withLine(12_000), true],
] as [string, (head: string) => string, boolean][])
  for (const door of DOORS)
    test(`advisories/limits-${door}-${name} — ${
      isTaken
        ? 'a head within the limit is taken'
        : 'a head beyond the limit is answered 431, and the process goes on'
    } [RFC 6585 5]`, async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(change(stage.knock(door, '/long')));
      const got = await client.answer();
      if (isTaken) expect(got.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
      else checkCode(got, 431, 'headers_too_large');
      await stage.proveClean();
    });
