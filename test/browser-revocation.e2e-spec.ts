import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BrowserStage } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';
import type { RawConnection } from './kit/raw-connection.js';
import { settled, SOON_MS } from './kit/wait.js';

/** 1008 "access has been revoked". */
const CLOSE_1008 = '\x88\x19\x03\xf0access has been revoked';

const stage = new BrowserStage();

/** How a connection ended, and that it did so in time. */
async function endingOf(connection: RawConnection, since: number): Promise<string> {
  const { bytes } = await connection.rest();
  expect(performance.now() - since).toBeLessThan(SOON_MS);
  return bytes;
}

function update(assignment: string): Promise<unknown> {
  return stage.started.db.query(`UPDATE sandboxes SET ${assignment} WHERE id = $1`, [stage.sandbox.uuid]);
}

describe('a session', () => {
  it('that a sandbox had before it started goes on when it runs', async () => {
    await stage.told(() => update(`status = 'pending'`));
    const cookie = await stage.session(await stage.link());
    expect((await stage.ask(stage.withCookie(cookie))).status).toBe(409);
    await stage.told(() => update(`status = 'starting'`));
    await stage.told(() => update(`status = 'running'`));
    expect((await stage.exchange(stage.withCookie(cookie))).answer.status).toBe(200);
  });

  it('ends when its sandbox is moved while it does not run, where its link says so', async () => {
    await stage.told(() => update(`status = 'paused'`));
    const cookie = await stage.session(await stage.link({ endSessionsOnPause: true }));
    const hostId = await stage.rows.host(stage.agentAddress);
    await stage.told(() => update(`host_id = '${hostId}'`));
    await stage.told(() => update(`status = 'running'`));
    expect((await stage.ask(stage.withCookie(cookie))).status).toBe(401);
  });

  it('is cut also for a client that takes nothing', async () => {
    const link = await stage.link();
    const { client, upstream } = await stage.stream(stage.withCookie(await stage.session(link)));
    client.socket.pause();
    const piece = 'x'.repeat(65_536);
    for (let i = 0; i < 200; i += 1) upstream.send(`10000\r\n${piece}\r\n`);
    await settled(() => upstream.socket.bytesWritten);
    const connections = () =>
      promisify((done: (error: Error | null, count: number) => void) =>
        stage.started.app.getHttpServer().getConnections(done),
      )();
    const before = await connections();
    await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${link.id}`);
    await expect.poll(connections, { timeout: SOON_MS, interval: 10 }).toBe(before - 1);
    await upstream.rest();
  });

  it('is untouched by what happens to another link, sandbox or team', async () => {
    const cookie = await stage.session(await stage.link());
    const other = await stage.link();
    const { client, upstream } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
    const sibling = await stage.rows.sandbox(stage.team.id, stage.hostId);
    const team = await stage.rows.team();
    await stage.told(() => stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${other.id}`));
    await stage.told(() =>
      stage.started.db.query(`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [sibling.uuid]),
    );
    await stage.told(() =>
      stage.started.db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [team.id]),
    );
    await stage.api('GET', '/v1/sandboxes');
    upstream.send('\x81\x02hi');
    expect(await client.bytes(4)).toBe('\x81\x02hi');
  });

  it('ends with its link, and what it has open with it', async () => {
    const link = await stage.link();
    const cookie = await stage.session(link);
    await stage.told(() =>
      stage.started.db.query(
        `UPDATE sandbox_links SET expires_at = now() + interval '3 seconds' WHERE sandbox_id = $1`,
        [stage.sandbox.uuid],
      ),
    );
    const { client } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
    expect((await client.rest()).bytes).toBe('\x88\x14\x03\xf0access has expired');
  });
});

describe('a deleted team', () => {
  it.each(['session', 'key'])('loses what was opened by a %s', async (credential) => {
    const { team: remaining } = stage;
    const team = await stage.rows.team();
    stage.sandbox = await stage.told(() => stage.rows.sandbox(team.id, stage.hostId));
    stage.team = team;
    const lines = [`Host: ${stage.host()}`, ...UPGRADE_LINES];
    const own =
      credential === 'key' ? `X-API-Key: ${team.key}` : `Cookie: ${await stage.session(await stage.link())}`;
    const { client, upstream } = await stage.socket(stage.bare('GET', '/', [...lines, own]));
    const since = performance.now();
    await stage.started.db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [team.id]);
    stage.team = remaining;
    expect(await endingOf(client, since)).toBe(CLOSE_1008);
    await endingOf(upstream, since);
  });
});

describe('a deleted key', () => {
  it('loses the WebSockets and streams that were opened with it, and no others', async () => {
    const { body } = await stage.api('POST', '/v1/api-keys', { name: 'short-lived' });
    const { id, key } = body;
    const lines = [`Host: ${stage.host()}`, `X-API-Key: ${key}`];
    const socket = await stage.socket(stage.bare('GET', '/', [...lines, ...UPGRADE_LINES]));
    const stream = await stage.stream(stage.bare('GET', '/', lines));
    const other = await stage.socket(stage.knock('upgrade'));
    const since = performance.now();
    await stage.api('DELETE', `/v1/api-keys/${id}`);
    expect(await endingOf(socket.client, since)).toBe(CLOSE_1008);
    expect(await endingOf(stream.client, since)).toBe('');
    await endingOf(socket.upstream, since);
    await endingOf(stream.upstream, since);
    other.upstream.send('\x81\x02hi');
    expect(await other.client.bytes(4)).toBe('\x81\x02hi');
  });
});

describe('a WebSocket that is closed', () => {
  it('in the middle of a frame gets the rest of it first', async () => {
    const link = await stage.link();
    const { client, upstream } = await stage.socket(
      stage.withCookie(await stage.session(link), 'GET', '/', UPGRADE_LINES),
    );
    upstream.send('\x81\x05hel');
    await client.bytes(5);
    await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${link.id}`);
    upstream.send('lo');
    expect((await client.rest()).bytes).toBe(`lo${CLOSE_1008}`);
  });

  it('in the middle of a frame that never ends is closed without a word', async () => {
    const link = await stage.link();
    const { client, upstream } = await stage.socket(
      stage.withCookie(await stage.session(link), 'GET', '/', UPGRADE_LINES),
    );
    upstream.send('\x81\x05hel');
    await client.bytes(5);
    const since = performance.now();
    await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${link.id}`);
    expect(await endingOf(client, since)).toBe('');
  });

  it('carries nothing of the client to the app any more', async () => {
    const link = await stage.link();
    const { client, upstream } = await stage.socket(
      stage.withCookie(await stage.session(link), 'GET', '/', UPGRADE_LINES),
    );
    upstream.send('\x81\x05hel');
    await client.bytes(5);
    await stage.told(() => stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${link.id}`));
    client.send('\x81\x80abcd');
    expect((await upstream.rest()).bytes).toBe('');
  });
});
