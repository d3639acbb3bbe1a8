import { afterAll, describe, expect, it } from 'vitest';
import { FEED_OPTIONS, PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import { BrowserStage } from './kit/browser-stage.js';
import { createTestDatabase } from './kit/database.js';
import { DOORS, UPGRADE_LINES } from './kit/proxy-stage.js';
import type { RawConnection } from './kit/raw-connection.js';
import { startTcpRelay } from './kit/tcp-relay.js';

const CLOSE_1008 = '\x88\x19\x03\xf0access has been revoked';

const db = await createTestDatabase();
const relay = await startTcpRelay(db.url);
const { url } = relay;

/** An application whose way to the database can be broken; the test itself asks the database directly. */
const stage = new BrowserStage({
  db: { ...db, url },
  override: (builder) =>
    builder
      .overrideProvider(FEED_OPTIONS)
      .useValue({ databaseUrl: url, feedUrl: url, heartbeatMs: 200, timeoutMs: 500 }),
});
afterAll(async () => {
  await relay.close();
  await db.drop();
});

const isLive = () => stage.started.app.get(PostgresChangeFeed).isLive;

async function lose(): Promise<void> {
  relay.cut();
  await expect.poll(isLive).toBe(false);
}

async function find(): Promise<void> {
  relay.restore();
  await expect.poll(isLive, { timeout: 15_000 }).toBe(true);
}

/** Resolves once the tunnel has been closed; fails if that takes longer than a read may. */
async function closed(client: RawConnection): Promise<string> {
  return (await client.rest()).bytes;
}

describe('a database that is lost', () => {
  it.each(DOORS)(
    'is a 503 for a browser whose session or port nobody has asked for yet (%s)',
    async (door) => {
      const link = await stage.link();
      const cookie = await stage.session(link);
      await lose();
      const lines = door === 'upgrade' ? UPGRADE_LINES : [];
      const at = (target: string, more: readonly string[] = []) =>
        stage.ask(stage.bare('GET', target, [`Host: ${stage.host()}`, ...lines, ...more]));
      const answers = [
        await at('/'),
        await at('/', [`Cookie: ${cookie}`]),
        await at('/', ['Origin: https://a.example']),
      ];
      if (door === 'HTTP') answers.push(await at(`/?sandbox_link=${link.token}`));
      await find();
      for (const answer of answers)
        expect([answer.status, answer.header('x-sandbox-error')]).toEqual([
          503,
          'proxy;directory_unavailable',
        ]);
      expect((await stage.exchange(stage.withCookie(cookie))).answer.status).toBe(200);
    },
  );

  it('leaves a session served from memory', async () => {
    const cookie = await stage.session(await stage.link());
    await stage.exchange(
      stage.withCookie(cookie),
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
    await lose();
    const { answer } = await stage.exchange(stage.withCookie(cookie));
    await find();
    expect(answer.status).toBe(200);
  });

  it('closes what was revoked meanwhile once it is found again', async () => {
    const link = await stage.link();
    const session = await stage.socket(
      stage.withCookie(await stage.session(link), 'GET', '/', UPGRADE_LINES),
    );
    const { body } = await stage.api('POST', '/v1/api-keys', { name: 'short-lived' });
    const keyed = await stage.socket(
      stage.bare('GET', '/', [`Host: ${stage.host()}`, `X-API-Key: ${body.key}`, ...UPGRADE_LINES]),
    );
    await stage.putPort(3001, { visibility: 'public' });
    const guest = await stage.socket(stage.bare('GET', '/', [`Host: ${stage.host(3001)}`, ...UPGRADE_LINES]));
    const kept = await stage.socket(stage.knock('upgrade'));
    await lose();
    await db.query('DELETE FROM sandbox_links WHERE sandbox_id = $1', [stage.sandbox.uuid]);
    await db.query(`DELETE FROM team_api_keys WHERE name = 'short-lived'`);
    await db.query('DELETE FROM sandbox_ports WHERE sandbox_id = $1', [stage.sandbox.uuid]);
    await find();
    for (const { client } of [session, keyed, guest]) expect(await closed(client)).toBe(CLOSE_1008);
    kept.upstream.send('\x81\x02hi');
    expect(await kept.client.bytes(4)).toBe('\x81\x02hi');
  });

  it('closes what an ended session has open also where its link has another', async () => {
    const link = await stage.link();
    const [first, second] = [await stage.session(link), await stage.session(link)];
    const open = (cookie: string) => stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
    const [ended, kept] = [await open(first), await open(second)];
    await lose();
    await db.query(
      'DELETE FROM sandbox_sessions WHERE id = (SELECT id FROM sandbox_sessions WHERE sandbox_id = $1 ORDER BY created_at LIMIT 1)',
      [stage.sandbox.uuid],
    );
    await find();
    expect(await closed(ended.client)).toBe(CLOSE_1008);
    kept.upstream.send('\x81\x02hi');
    expect(await kept.client.bytes(4)).toBe('\x81\x02hi');
  });

  it('without triggers is asked every few seconds about what is open', async () => {
    const link = await stage.link();
    const { client } = await stage.socket(
      stage.withCookie(await stage.session(link), 'GET', '/', UPGRADE_LINES),
    );
    await db.query('ALTER TABLE sandbox_links DISABLE TRIGGER ALL');
    await expect.poll(isLive).toBe(false);
    await db.query('DELETE FROM sandbox_sessions');
    await db.query('DELETE FROM sandbox_links WHERE sandbox_id = $1', [stage.sandbox.uuid]);
    const since = performance.now();
    await expect.poll(() => client.isOver, { timeout: 8_000 }).toBe(true);
    expect(performance.now() - since).toBeLessThan(7_000);
    await db.query('ALTER TABLE sandbox_links ENABLE TRIGGER ALL');
    await expect.poll(isLive).toBe(true);
  });
});
