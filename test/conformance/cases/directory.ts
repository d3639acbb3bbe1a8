import { pause } from '../harness/byte-stream.js';
import { type Case, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { valueOf } from '../harness/response-reader.js';
import { checkOwn } from '../harness/world.js';

/** The database fails and comes back; the log stays whole. */
export const directory: readonly Case[] = [
  {
    id: 'errors/forged-log-line',
    rule: 'line breaks of a client make no line of the log',
    source: 'issue 2, Logs',
    run: async (world) => {
      const stage = await world.stage();
      for (const target of ['/a%0d%0aforged-line', '/a%0aforged-line', '/a\x85forged-line'])
        await stage.ask('GET', target, ['User-Agent: x\\nforged-line', 'X-Request-Id: a\\r\\nforged-line']);
    },
  },
  ...DOORS.map((door): Case => ({
    id: `errors/${door}/directory-unavailable`,
    rule: 'a failed database is 503 with Retry-After, never 401 or 404, and heals by itself',
    source: 'architecture 5',
    variant: 'relay',
    alone: true,
    timeoutMs: 40_000,
    run: async (world) => {
      const [warm, cold] = [await world.stage(), await world.stage()];
      const ok = door === 'http' ? 200 : 101;
      same((await warm.send(warm.knock(door, '/'))).answer.status, ok, 'before');
      world.platform.relay?.cut();
      await pause(100);
      for (let i = 0; i < 2; i++) {
        const { answer: got } = await cold.send(cold.knock(door, '/'), 'GET');
        checkOwn(got, 503, 'directory_unavailable');
        check(valueOf(got.fields, 'retry-after'), 'Retry-After');
        const { answer: unknown } = await cold.send(
          cold.knock(door, '/').replace(cold.key, `wrn_${String(i).repeat(32)}`),
        );
        checkOwn(unknown, 503, 'directory_unavailable');
      }
      if (world.platform.relay) world.platform.relay.isCut = false;
      for (let tries = 0; ; tries++) {
        const { answer: got } = await cold.send(cold.knock(door, '/'));
        if (got.status === ok) break;
        check(tries < 60, `still ${got.status} after the database came back`);
        await pause(250);
      }
    },
  })),
];
