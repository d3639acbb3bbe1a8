import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashApiKey } from '../src/platform/identifiers/api-key.js';
import { PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import { type Change, SandboxChanges } from '../src/sandbox-proxy/index.js';
import { type AnyBody, asOperator, type Call, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';

// Of 200 requests sent after the answer to a pause, 44 were let in, up to 55 ms later: the proxy of the same process
// heard of it from the database only.
describe('a write through the API', () => {
  let started: StartedApp;
  let operator: Call;
  let team: Awaited<ReturnType<typeof newTeam>>;
  /** What the proxy had been told, and had carried out, when the answer came. */
  let carriedOut: Change[] = [];

  beforeAll(async () => {
    started = await startApp();
    operator = asOperator(started);
    team = await newTeam(started);
    // it would tell of the same, a moment later
    await started.app.get(PostgresChangeFeed).onApplicationShutdown();
    const changes = started.app.get(SandboxChanges);
    const apply = changes.apply.bind(changes);
    changes.apply = async (change) => {
      await apply(change);
      // whoever does not wait for it answers before this
      await new Promise((resolve) => void setTimeout(resolve, 50));
      carriedOut.push(change);
    };
  });
  afterAll(() => started.close());

  async function write(call: Call, ...request: Parameters<Call>): Promise<{ body: AnyBody; told: Change[] }> {
    carriedOut = [];
    const { status, body } = await call(...request);
    expect(status).toBeLessThan(300);
    return { body, told: [...carriedOut] };
  }

  it('to sandboxes is carried out before it is answered', async () => {
    const made = await write(team.call, 'POST', '/v1/sandboxes', { template: 't' });
    const { id } = made.body;
    const change = { kind: 'sandbox', sandboxId: id };
    expect(made.told).toContainEqual(change);
    const path = `/v1/sandboxes/${id}`;
    const requests: Parameters<Call>[] = [
      ['PATCH', path, { status: 'running' }],
      ['PATCH', path, { status: 'paused' }],
      ['DELETE', path],
    ];
    for (const request of requests) expect((await write(team.call, ...request)).told).toContainEqual(change);
  });

  it('to hosts is carried out before it is answered', async () => {
    const { body } = await operator('POST', '/v1/hosts', { address: 'a:1' });
    const change = { kind: 'host', hostId: body.id };
    const requests: Parameters<Call>[] = [
      ['PATCH', `/v1/hosts/${body.id}`, { address: 'b:1' }],
      ['DELETE', `/v1/hosts/${body.id}`],
    ];
    for (const request of requests) expect((await write(operator, ...request)).told).toContainEqual(change);
  });

  it('to keys is carried out before it is answered', async () => {
    const byTeam = await write(team.call, 'POST', '/v1/api-keys', { name: 'k' });
    const subject = hashApiKey(byTeam.body.key);
    expect(byTeam.told).toContainEqual({ kind: 'credential', scheme: 'api-key', subject });
    const { told } = await write(team.call, 'DELETE', `/v1/api-keys/${byTeam.body.id}`);
    expect(told).toContainEqual({ kind: 'credential', scheme: 'api-key', subject });
    const byOperator = await write(operator, 'POST', `/v1/teams/${team.id}/api-keys`, { name: 'k' });
    expect(byOperator.told).toContainEqual(
      expect.objectContaining({ subject: hashApiKey(byOperator.body.key) }),
    );
  });

  it('to links and ports is carried out before it is answered', async () => {
    const { body } = await team.call('POST', '/v1/sandboxes', { template: 't' });
    const path = `/v1/sandboxes/${body.id}`;
    const link = await team.call('POST', `${path}/links`, { port: 80 });
    const revoked = await write(team.call, 'DELETE', `${path}/links/${link.body.id}`);
    expect(revoked.told).toContainEqual({
      kind: 'credential',
      scheme: 'session',
      subject: link.body.id,
    });
    for (const method of ['PUT', 'DELETE']) {
      const { told } = await write(
        team.call,
        method,
        `${path}/ports/80`,
        method === 'PUT' ? { visibility: 'public' } : undefined,
      );
      expect(told).toContainEqual({ kind: 'port', sandboxId: body.id, port: 80 });
    }
  });
});
