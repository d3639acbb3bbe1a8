import { describe, expect, it } from 'vitest';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import type { Answer } from './kit/answer.js';
import { ProxyStage, UPGRADE_LINES } from './kit/proxy-stage.js';

// Keys can be made up without end. Behind a load balancer all clients have its address: counted by that, one client with
// made-up keys would be told apart from nobody, and everybody refused for it.

const stage = new ProxyStage({ env: { TRUSTED_PROXIES: '127.0.0.1' } });

const OTHER = 'X-Forwarded-For: 198.51.100.8';

const DOORS = {
  API: (key: string, from: string) =>
    stage.bare('GET', '/v1/api-keys', ['Host: api', `X-API-Key: ${key}`, from]),
  HTTP: (key: string, from: string) =>
    stage.bare('GET', '/', [`Host: ${stage.host()}`, `X-API-Key: ${key}`, from]),
  upgrade: (key: string, from: string) =>
    stage.bare('GET', '/', [`Host: ${stage.host()}`, `X-API-Key: ${key}`, from, ...UPGRADE_LINES]),
} as const;

describe.each(Object.entries(DOORS))(
  'made-up keys of one client behind a trusted proxy, door: %s',
  (door, knock) => {
    // The budget is the same at all doors, so each has a client of its own.
    const FLOODER = `X-Forwarded-For: 198.51.100.${Object.keys(DOORS).indexOf(door) + 10}`;

    it('are answered 429 once there have been too many; known keys and other clients are not', async () => {
      let refusal: Answer | null = null;
      const before = new Set<number>();
      for (let i = 0; i < 600 && refusal === null; i += 1) {
        const answer = await stage.ask(knock(generateApiKey(), FLOODER));
        if (answer.status === 429) refusal = answer;
        else before.add(answer.status);
      }
      expect([...before]).toEqual([401]);
      expect(JSON.parse(refusal?.body ?? '{}').error).toMatchObject({
        code: 'too_many_lookups',
        message: 'too many requests with unknown API keys; try again shortly',
      });
      expect(refusal?.header('retry-after')).toBe('1');
      expect((await stage.ask(knock(generateApiKey(), OTHER))).status).toBe(401);
    });

    it('keep out no key of a team from their address, whether or not it has been used before', async () => {
      for (const { key } of [stage.team, await stage.rows.team()])
        expect((await stage.ask(DOORS.API(key, FLOODER))).status).toBe(200);
      const { head } = await stage.begin(stage.head('GET', '/', [FLOODER]));
      expect(head).toMatch(/^GET /);
    });
  },
);
