import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashApiKey } from '../src/platform/identifiers/api-key.js';
import { decodeId, encodeId } from '../src/platform/identifiers/resource-id.js';
import { asOperator, type Call, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';

describe('the API', () => {
  let started: StartedApp;
  let operator: Call;
  let team: Awaited<ReturnType<typeof newTeam>>;
  let other: Awaited<ReturnType<typeof newTeam>>;

  beforeAll(async () => {
    started = await startApp();
    operator = asOperator(started);
    team = await newTeam(started);
    other = await newTeam(started);
  });
  afterAll(() => started.close());

  describe('teams', () => {
    it('are made by the operator, with a slug of their own where none is given', async () => {
      const { status, body } = await operator('POST', '/v1/teams', { name: 'Große Firma!' });
      expect(status).toBe(201);
      expect(body).toEqual({
        id: expect.stringMatching(/^team-[0-9a-z]{25}$/),
        name: 'Große Firma!',
        slug: expect.stringMatching(/^gro-e-firma-[0-9a-f]{6}$/),
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      });
    });

    it('refuse a slug that is taken', async () => {
      expect((await operator('POST', '/v1/teams', { name: 'a', slug: 'taken' })).status).toBe(201);
      const { status, body } = await operator('POST', '/v1/teams', { name: 'b', slug: 'taken' });
      expect(status).toBe(409);
      expect(body.error).toMatchObject({ code: 'conflict', message: 'the slug is taken' });
    });

    it('that do not exist or were deleted get no key', async () => {
      const missing = encodeId('team', '00000000-0000-4000-8000-000000000000');
      const gone = await newTeam(started);
      await started.db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [
        decodeId('team', gone.id),
      ]);
      for (const id of [missing, gone.id, 'team-x', 'x']) {
        const { status, body } = await operator('POST', `/v1/teams/${id}/api-keys`, { name: 'k' });
        expect([status, body.error.message]).toEqual([404, 'team not found']);
      }
    });
  });

  describe('API keys', () => {
    it('are shown once and stored as a hash', async () => {
      const { status, body } = await team.call('POST', '/v1/api-keys', { name: 'ci' });
      expect(status).toBe(201);
      expect(body.key).toMatch(/^wrn_[0-9a-f]{32}$/);
      const rows = await started.db.query('SELECT * FROM team_api_keys WHERE id = $1', [
        decodeId('key', body.id),
      ]);
      expect(rows[0]).toMatchObject({ key_hash: hashApiKey(body.key), key_prefix: body.key.slice(0, 10) });
      expect(JSON.stringify(rows)).not.toContain(body.key);
      const list = await team.call('GET', '/v1/api-keys');
      expect(list.body.items.map(({ name }) => name)).toEqual(expect.arrayContaining(['first', 'ci']));
      expect(JSON.stringify(list.body)).not.toContain(body.key);
    });

    it('of another team are not listed and cannot be deleted', async () => {
      const { body } = await other.call('POST', '/v1/api-keys', { name: 'theirs' });
      expect((await team.call('GET', '/v1/api-keys')).body.items.map(({ id }) => id)).not.toContain(body.id);
      expect((await team.call('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(404);
      expect((await other.call('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204);
      expect((await other.call('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(404);
    });

    it('record their use', async () => {
      const fresh = await newTeam(started);
      await fresh.call('GET', '/v1/api-keys');
      await expect
        .poll(async () => (await fresh.call('GET', '/v1/api-keys')).body.items[0]?.['lastUsedAt'], {
          timeout: 5_000,
        })
        .toEqual(expect.any(String));
    });
  });

  describe('hosts', () => {
    it('are made, listed, shown, changed, heard of and deleted', async () => {
      const made = await operator('POST', '/v1/hosts', {
        type: 'metal',
        address: '10.0.0.7:9000',
        metadata: { rack: 4 },
      });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({
        type: 'metal',
        address: '10.0.0.7:9000',
        status: 'pending',
        metadata: { rack: 4 },
      });
      const path = `/v1/hosts/${made.body.id}`;
      expect((await operator('GET', path)).body).toEqual(made.body);
      expect((await operator('GET', '/v1/hosts')).body.items).toContainEqual(made.body);
      const changed = await operator('PATCH', path, {
        address: 'https://agent.example:9443',
        status: 'offline',
      });
      expect(changed.status).toBe(200);
      expect(changed.body).toMatchObject({
        address: 'https://agent.example:9443',
        status: 'offline',
        type: 'metal',
      });
      const heard = await operator('POST', `${path}/heartbeat`);
      expect(heard.status).toBe(200);
      expect(heard.body).toMatchObject({ status: 'online', lastHeartbeatAt: expect.any(String) });
      expect((await operator('DELETE', path)).status).toBe(204);
      for (const [method, suffix] of [
        ['GET', ''],
        ['PATCH', ''],
        ['POST', '/heartbeat'],
        ['DELETE', ''],
      ] as const) {
        expect((await operator(method, `${path}${suffix}`, method === 'PATCH' ? {} : undefined)).status).toBe(
          404,
        );
      }
    });

    it('are not deleted while sandboxes are on them', async () => {
      const host = await operator('POST', '/v1/hosts', {});
      const sandbox = await team.call('POST', '/v1/sandboxes', { template: 't', hostId: host.body.id });
      const refused = await operator('DELETE', `/v1/hosts/${host.body.id}`);
      expect([refused.status, refused.body.error]).toEqual([
        409,
        expect.objectContaining({ code: 'conflict', sandboxes: 1 }),
      ]);
      await team.call('PATCH', `/v1/sandboxes/${sandbox.body.id}`, { hostId: null });
      expect((await operator('DELETE', `/v1/hosts/${host.body.id}`)).status).toBe(204);
    });

    it.each([
      '',
      '127.0.0.1:80',
      '[::1]:80',
      'agent-1.local:9000',
      'http://10.0.0.1',
      'https://a.example:1/',
    ])('may have the address %j', async (address) => {
      expect((await operator('POST', '/v1/hosts', { address })).status).toBe(201);
    });

    it.each([
      '10.0.0.1',
      'http://a/b',
      'ftp://a:1',
      'a:1/x',
      'user@a:1',
      'a b:1',
      'a:1\r\nX: y',
      'a:123456',
      null,
    ])('may not have the address %j', async (address) => {
      const { status, body } = await operator('POST', '/v1/hosts', { address });
      expect([status, body.error.code]).toEqual([400, 'validation_failed']);
    });
  });

  describe('sandboxes', () => {
    it('are made, listed, shown, changed and deleted by their team', async () => {
      const host = await operator('POST', '/v1/hosts', { address: '127.0.0.1:9' });
      const made = await team.call('POST', '/v1/sandboxes', { template: 'node', metadata: { a: [1] } });
      expect(made.status).toBe(201);
      const { id } = made.body;
      expect(made.body).toEqual({
        id: expect.stringMatching(/^cl-[0-9a-z]{25}$/),
        hostId: null,
        template: 'node',
        status: 'pending',
        metadata: { a: [1] },
        urlTemplate: `http://{port}-${id}.localhost:${started.port}`,
        createdAt: expect.any(String),
        startedAt: null,
        lastActiveAt: null,
        updatedAt: expect.any(String),
      });
      const path = `/v1/sandboxes/${id}`;
      expect((await team.call('GET', path)).body).toEqual(made.body);
      expect((await team.call('GET', '/v1/sandboxes')).body.items).toContainEqual(made.body);
      const moved = await team.call('PATCH', path, { status: 'running', hostId: host.body.id });
      expect(moved.status).toBe(200);
      expect(moved.body).toMatchObject({
        status: 'running',
        hostId: host.body.id,
        startedAt: expect.any(String),
      });
      expect((await team.call('PATCH', path, {})).body).toMatchObject({
        status: 'running',
        hostId: host.body.id,
      });
      expect((await team.call('DELETE', path)).status).toBe(204);
      expect((await team.call('DELETE', path)).status).toBe(404);
    });

    it('of another team answer exactly like sandboxes that do not exist', async () => {
      const { body } = await other.call('POST', '/v1/sandboxes', { template: 't' });
      const missing = encodeId('cl', '00000000-0000-4000-8000-000000000000');
      for (const [method, change] of [['GET'], ['PATCH', { status: 'paused' }], ['DELETE']] as const) {
        const theirs = await team.call(method, `/v1/sandboxes/${body.id}`, change);
        const absent = await team.call(method, `/v1/sandboxes/${missing}`, change);
        expect(theirs.status).toBe(404);
        expect({ ...theirs.body.error, requestId: '' }).toEqual({ ...absent.body.error, requestId: '' });
      }
      expect((await team.call('GET', '/v1/sandboxes')).body.items.map(({ id }) => id)).not.toContain(body.id);
      expect((await other.call('GET', `/v1/sandboxes/${body.id}`)).body).toMatchObject({ status: 'pending' });
    });

    it('refuse a host that does not exist', async () => {
      const hostId = encodeId('host', '00000000-0000-4000-8000-000000000000');
      const made = await team.call('POST', '/v1/sandboxes', { template: 't', hostId });
      expect(made.body.error).toMatchObject({
        code: 'validation_failed',
        problems: ['hostId names no host'],
      });
    });

    it('are listed in pages', async () => {
      const fresh = await newTeam(started);
      const made = new Set<string>();
      for (let i = 0; i < 5; i += 1)
        made.add((await fresh.call('POST', '/v1/sandboxes', { template: 't' })).body.id);
      const seen: string[] = [];
      for (let after: string | null = ''; after !== null;) {
        const { body } = await fresh.call('GET', `/v1/sandboxes?limit=2${after && `&after=${after}`}`);
        seen.push(...body.items.map(({ id }) => id));
        after = body.next;
      }
      expect(seen).toHaveLength(5);
      expect(new Set(seen)).toEqual(made);
    });
  });

  describe('URLs of sandboxes', () => {
    it.each([
      [
        { PUBLIC_URL: 'https://example.com:8443', SANDBOX_DOMAINS: 'x.example' },
        /^https:\/\/\{port\}-cl-\w{25}\.example\.com:8443$/,
      ],
      [{ SANDBOX_DOMAINS: 'x.example,y.example' }, /^http:\/\/\{port\}-cl-\w{25}\.x\.example:\d+$/],
    ])('follow %j', async (env, pattern) => {
      const configured = await startApp({ env });
      const { call } = await newTeam(configured);
      expect((await call('POST', '/v1/sandboxes', { template: 't' })).body.urlTemplate).toMatch(pattern);
      await configured.close();
    });
  });
});
