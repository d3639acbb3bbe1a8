import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeId } from '../src/platform/identifiers/resource-id.js';
import { type AnyBody, asOperator, type Call, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';

const MAX = 4;

async function newSandbox(call: Call): Promise<string> {
  const { body } = await call('POST', '/v1/sandboxes', { template: 't' });
  return `/v1/sandboxes/${body.id}`;
}

/** Tries `make` until it is refused: how often it was not, and the refusal. */
async function untilRefused(
  make: (count: number) => ReturnType<Call>,
): Promise<[made: number, error: AnyBody['error']]> {
  for (let made = 0; made < 10; made += 1) {
    const { status, body } = await make(made);
    if (status === 409) return [made, body.error];
  }
  throw new Error('never refused');
}

const metadataOf = (bytes: number): object => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });

describe('what a team may have', () => {
  let started: StartedApp;
  let operator: Call;
  let team: Awaited<ReturnType<typeof newTeam>>;

  beforeAll(async () => {
    started = await startApp({
      env: {
        TEAM_MAX_SANDBOXES: String(MAX),
        TEAM_MAX_API_KEYS: String(MAX),
        TEAM_MAX_LINKS: String(MAX),
        TEAM_MAX_PORTS: String(MAX),
      },
    });
    operator = asOperator(started);
    team = await newTeam(started);
  });
  afterAll(() => started.close());

  it('is so many sandboxes, until one of them goes', async () => {
    const { call } = await newTeam(started);
    const first = await newSandbox(call);
    expect(await untilRefused(() => call('POST', '/v1/sandboxes', { template: 't' }))).toEqual([
      MAX - 1,
      expect.objectContaining({
        code: 'conflict',
        message: `a team may have at most ${MAX} sandboxes`,
        limit: MAX,
      }),
    ]);
    expect((await call('DELETE', first)).status).toBe(204);
    expect((await call('POST', '/v1/sandboxes', { template: 't' })).status).toBe(201);
  });

  it('is so many keys, also where the operator makes them', async () => {
    const { id, call } = await newTeam(started);
    const make = (made: number): ReturnType<Call> =>
      made % 2 === 0
        ? call('POST', '/v1/api-keys', { name: 'k' })
        : operator('POST', `/v1/teams/${id}/api-keys`, { name: 'k' });
    const [made, error] = await untilRefused(make);
    expect([made, error.message]).toEqual([MAX - 1, `a team may have at most ${MAX} API keys`]);
    expect((await operator('POST', `/v1/teams/${id}/api-keys`, { name: 'k' })).status).toBe(409);
  });

  it('is so many links in all its sandboxes, of which those that have expired do not count', async () => {
    const { call } = await newTeam(started);
    const sandboxes = [await newSandbox(call), await newSandbox(call)];
    const make = (made: number): ReturnType<Call> =>
      call('POST', `${sandboxes[made % 2]}/links`, { port: 80 });
    expect(await untilRefused(make)).toEqual([
      MAX,
      expect.objectContaining({ message: `a team may have at most ${MAX} preview links` }),
    ]);
    await started.db.query(`UPDATE sandbox_links SET expires_at = now() WHERE sandbox_id = $1`, [
      decodeId('cl', sandboxes[0]?.split('/').at(-1) ?? ''),
    ]);
    expect((await make(1)).status).toBe(201);
  });

  // Two that delete each other's old links, in different orders, would wait for each other.
  it('is counted without the links that have expired, and without waiting for one that another request is deleting', async () => {
    const { call } = await newTeam(started);
    const sandboxes = [await newSandbox(call), await newSandbox(call)];
    const make = (made: number): ReturnType<Call> =>
      call('POST', `${sandboxes[made % 2]}/links`, { port: 80 });
    await untilRefused(make);
    const uuid = decodeId('cl', sandboxes[0]?.split('/').at(-1) ?? '');
    await started.db.query(
      `UPDATE sandbox_links SET expires_at = now() - interval '31 days' WHERE sandbox_id = $1`,
      [uuid],
    );
    const other = new Client({ connectionString: started.db.url });
    await other.connect();
    await other.query('BEGIN');
    const one = 'SELECT id FROM sandbox_links WHERE sandbox_id = $1 ORDER BY id LIMIT 1';
    await other.query(`DELETE FROM sandbox_links WHERE id IN (${one})`, [uuid]);
    expect((await make(0)).status).toBe(201);
    await other.query('COMMIT');
    await other.end();
    const left = await started.db.query('SELECT 1 FROM sandbox_links WHERE sandbox_id = $1', [uuid]);
    expect(left).toHaveLength(1);
  });

  it('is settings for so many ports in all its sandboxes, which may still be changed', async () => {
    const { call } = await newTeam(started);
    const sandboxes = [await newSandbox(call), await newSandbox(call)];
    const make = (made: number): ReturnType<Call> =>
      call('PUT', `${sandboxes[made % 2]}/ports/${80 + made}`, {});
    expect(await untilRefused(make)).toEqual([
      MAX,
      expect.objectContaining({ message: `a team may have at most ${MAX} ports with settings of their own` }),
    ]);
    expect((await call('PUT', `${sandboxes[0]}/ports/80`, { visibility: 'public' })).status).toBe(200);
  });

  it("is not another team's business", async () => {
    expect((await team.call('POST', '/v1/sandboxes', { template: 't' })).status).toBe(201);
  });

  describe('in one row', () => {
    it.each([
      ['16 KiB of metadata', 16_384, 201],
      ['more', 16_385, 400],
      ['far more', 95_000, 400],
    ])('is %s: %i bytes -> %i', async (_name, bytes, status) => {
      const { call } = await newTeam(started);
      const metadata = metadataOf(bytes);
      expect((await call('POST', '/v1/sandboxes', { template: 't', metadata })).status).toBe(status);
      expect((await operator('POST', '/v1/hosts', { metadata })).status).toBe(status);
    });

    it('is counted in bytes, not in characters', async () => {
      const { body } = await team.call('POST', '/v1/sandboxes', {
        template: 't',
        metadata: { text: '𝕏'.repeat(4_100) },
      });
      expect(body.error.problems).toEqual(['metadata must be an object of at most 16384 bytes']);
    });

    it.each([
      ['POST', '/v1/teams', { name: 'x'.repeat(201) }],
      ['POST', '/v1/hosts', { address: `${'a'.repeat(300)}:80` }],
      ['POST', '/v1/hosts', { type: 'x'.repeat(101) }],
    ])('is no longer text: %s %s', async (method, path, body) => {
      expect((await operator(method, path, body)).body.error.code).toBe('validation_failed');
    });
  });
});

describe('lists', () => {
  let started: StartedApp;
  let team: Awaited<ReturnType<typeof newTeam>>;

  beforeAll(async () => {
    started = await startApp();
    team = await newTeam(started);
  });
  afterAll(() => started.close());

  /** All pages of a list, as long texts and as items. */
  async function pagesOf(path: string): Promise<{ lengths: number[]; items: AnyBody[] }> {
    const lengths: number[] = [];
    const items: AnyBody[] = [];
    for (let after: string | null = ''; after !== null;) {
      const { status, body } = await team.call('GET', `${path}&${after && `after=${after}`}`);
      expect(status).toBe(200);
      lengths.push(JSON.stringify(body).length);
      items.push(...body.items);
      after = body.next;
    }
    return { lengths, items };
  }

  // rows as another program of the platform may have written them
  it('are of pages of 1 MB at most, however large the rows are', async () => {
    await started.db.query(
      `INSERT INTO sandboxes (id, team_id, template, status, metadata)
       SELECT gen_random_uuid(), $1, 't', 'running', jsonb_build_object('text', repeat('x', 95000))
         FROM generate_series(1, 60)`,
      [decodeId('team', team.id)],
    );
    const { lengths, items } = await pagesOf('/v1/sandboxes?limit=1000');
    expect(Math.max(...lengths)).toBeLessThan(1_100_000);
    expect(new Set(items.map(({ id }) => id)).size).toBe(60);
  });

  it('of ports have pages, too', async () => {
    const { body } = await team.call('POST', '/v1/sandboxes', { template: 't' });
    const path = `/v1/sandboxes/${body.id}/ports`;
    for (const port of [443, 80, 65_535, 8080, 1])
      expect((await team.call('PUT', `${path}/${port}`, {})).status).toBe(200);
    const { lengths, items } = await pagesOf(`${path}?limit=2`);
    expect(lengths).toHaveLength(3);
    expect(items.map((item) => item['port'])).toEqual([1, 80, 443, 8080, 65_535]);
    for (const after of ['x', '', '999999', '1&after=2'])
      expect((await team.call('GET', `${path}?after=${after}`)).body.error.code).toBe('validation_failed');
  });
});
