import { assert, expect } from 'vitest';
import { valueOf } from '../kit/answer.js';
import { DOORS } from '../kit/requests.js';
import { until } from '../kit/wait.js';
import { alone, test } from './test.js';
import { checkOwn } from './world.js';

/** The database fails and comes back; the log stays whole. */
test('errors/forged-log-line — line breaks of a client make no line of the log [CWE-117]', async (world) => {
  const stage = await world.stage();
  for (const target of ['/a%0d%0aforged-line', '/a%0aforged-line', '/a\x85forged-line'])
    await stage.ask('GET', target, ['User-Agent: x\\nforged-line', 'X-Request-Id: a\\r\\nforged-line']);
});

for (const door of DOORS)
  alone(
    `errors/${door}/directory-unavailable — a failed database is 503 with Retry-After, never 401 or 404, and heals by itself [RFC 9110 15.6.4]`,
    async (base) => {
      const world = await base.on('relay');
      const [warm, cold] = [await world.stage(), await world.stage()];
      const ok = door === 'HTTP' ? 200 : 101;
      expect((await warm.send(warm.knock(door, '/'))).answer.status, 'before').toEqual(ok);
      world.platform.relay?.cut();
      for (let i = 0; i < 2; i++) {
        const { answer: got } = await cold.send(cold.knock(door, '/'), 'GET');
        checkOwn(got, 503, 'directory_unavailable');
        assert(valueOf(got.fields, 'retry-after'), 'Retry-After');
        const { answer: unknown } = await cold.send(
          cold.knock(door, '/').replace(cold.key, `wrn_${String(i).repeat(32)}`),
        );
        checkOwn(unknown, 503, 'directory_unavailable');
      }
      world.platform.relay?.restore();
      const heals = async (): Promise<boolean> =>
        (await cold.send(cold.knock(door, '/'))).answer.status === ok;
      await until(heals, 'an answer after the database came back');
    },
  );
