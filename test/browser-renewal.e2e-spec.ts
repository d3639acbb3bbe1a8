import { describe, expect, it } from 'vitest';
import { decodeId } from '../src/platform/identifiers/resource-id.js';
import { BrowserStage, type MadeLink } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';
import { until } from './kit/wait.js';

// Who worked in a sandbox by a link was put out in the middle of it, when the link's time was over.

const MAX_SECONDS = 2_592_000;
const stage = new BrowserStage({ env: { LINK_MAX_TTL_SECONDS: String(MAX_SECONDS) } });

const links = (): string => `/v1/sandboxes/${stage.sandbox.id}/links`;
const uuidOf = (link: MadeLink): string => decodeId('link', link.id) as string;

/** A session by this link with so many seconds left. */
async function sessionWithLeft(link: MadeLink, seconds: number): Promise<string> {
  const cookie = await stage.session(link);
  await stage.started.db.query(
    `UPDATE sandbox_sessions SET expires_at = now() + $2 * interval '1 second' WHERE link_id = $1`,
    [uuidOf(link), seconds],
  );
  return cookie;
}

/** How many seconds the session of a link has left in the table. */
async function leftOf(link: MadeLink): Promise<number> {
  const [row] = await stage.started.db.query<{ left: number }>(
    `SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM sandbox_sessions WHERE link_id = $1`,
    [uuidOf(link)],
  );
  return row?.left ?? Number.NaN;
}

describe('a link with renew', () => {
  it('is shown with the bound of its sessions', async () => {
    const { status, body } = await stage.api('POST', links(), { port: 3000, ttlSeconds: 60, renew: true });
    expect([status, body['renew'], body['endSessionsOnPause']]).toEqual([201, true, false]);
    const bound = Date.parse(String(body['renewUntil'])) - Date.parse(String(body['createdAt']));
    expect(bound).toBe(MAX_SECONDS * 1_000);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const given = await stage.api('POST', links(), {
      port: 3000,
      ttlSeconds: 60,
      renew: true,
      renewUntil: soon,
    });
    expect(given.body['renewUntil']).toBe(soon);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ ttlSeconds: MAX_SECONDS + 1 }, `ttlSeconds must not be greater than ${MAX_SECONDS}`],
    [{ renew: 'yes' }, 'renew must be a boolean'],
    [{ renewUntil: '2026-12-02T00:00:00Z' }, 'renewUntil needs renew'],
    [{ renew: true, renewUntil: 'tomorrow' }, 'renewUntil must be a valid ISO 8601'],
    [{ renew: true, renewUntil: null }, 'renewUntil must be a valid ISO 8601'],
    [{ renew: true, renewUntil: '2020-01-01T00:00:00Z' }, 'renewUntil must be from'],
    [{ renew: true, renewUntil: '2200-01-01T00:00:00Z' }, 'renewUntil must be from'],
    [{ endSessionsOnPause: 1 }, 'endSessionsOnPause must be a boolean'],
  ])('is refused for %j', async (body, problem) => {
    const answer = await stage.api('POST', links(), { port: 3000, ...body });
    expect([answer.status, answer.body.error.problems.join()]).toEqual([
      400,
      expect.stringContaining(problem),
    ]);
  });

  it('lasts as long as the operator allows', async () => {
    const { status, body } = await stage.api('POST', links(), { port: 3000, ttlSeconds: MAX_SECONDS });
    expect(status).toBe(201);
    expect(Date.parse(String(body['expiresAt'])) - Date.now()).toBeGreaterThan((MAX_SECONDS - 60) * 1_000);
  });

  it('whose time is over begins no session, but can be seen and revoked while its sessions go on', async () => {
    const link = await stage.link({ renew: true });
    const cookie = await stage.session(link);
    await stage.told(() =>
      stage.started.db.query('UPDATE sandbox_links SET expires_at = now() WHERE id = $1', [uuidOf(link)]),
    );
    expect((await stage.open(`/?sandbox_link=${link.token}`)).status).toBe(401);
    expect((await stage.open(`/?sandbox_link=${link.token}`, [`Cookie: ${cookie}`])).status).toBe(303);
    expect((await stage.exchange(stage.withCookie(cookie))).answer.status).toBe(200);
    expect((await stage.api('GET', links())).body.items).toMatchObject([{ id: link.id }]);
    expect((await stage.api('DELETE', `${links()}/${link.id}`)).status).toBe(204);
    const ended = await stage.ask(stage.withCookie(cookie));
    expect(JSON.parse(ended.body).error).toMatchObject({ code: 'session_ended', reason: 'revoked' });
  });
});

describe('a session by a link with renew', () => {
  it('is prolonged by its use, and the app’s answer says nothing of it', async () => {
    const link = await stage.link({ ttlSeconds: 60, renew: true });
    const cookie = await sessionWithLeft(link, 30);
    const { answer } = await stage.exchange(stage.withCookie(cookie));
    expect([answer.status, answer.all('set-cookie')]).toEqual([200, []]);
    await until(async () => (await leftOf(link)) > 55, 'it is prolonged');
  });

  it('that is not renewed by its link keeps its end', async () => {
    const [fixed, link] = [
      await stage.link({ ttlSeconds: 60 }),
      await stage.link({ ttlSeconds: 60, renew: true }),
    ];
    const cookies = [await sessionWithLeft(fixed, 30), await sessionWithLeft(link, 30)];
    for (const cookie of cookies) await stage.stream(stage.withCookie(cookie));
    await until(async () => (await leftOf(link)) > 55, 'the other one is prolonged');
    expect(await leftOf(fixed)).toBeLessThan(30);
  });

  it('goes on with what it has open: an open WebSocket is a use, and its clock follows', async () => {
    const link = await stage.link({ ttlSeconds: 60, renew: true });
    const cookie = await sessionWithLeft(link, 4);
    const { client, upstream } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
    const formerEndMs = Date.now() + 4_000;
    // past the former end, and the look at the clocks once a second after it
    await until(() => Date.now() > formerEndMs + 2_000, 'the former end has gone by');
    upstream.send('\x81\x02hi');
    expect(await client.bytes(4)).toBe('\x81\x02hi');
    expect(await leftOf(link)).toBeGreaterThan(50);
  });

  it('ends at its bound, with what it has open', async () => {
    const link = await stage.link({ ttlSeconds: 60, renew: true });
    const cookie = await stage.session(link);
    await stage.started.db.query(
      `UPDATE sandbox_links SET renew_until = now() + interval '2 seconds' WHERE id = $1`,
      [uuidOf(link)],
    );
    const { client } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
    expect((await client.rest()).bytes).toBe('\x88\x14\x03\xf0access has expired');
  });

  it('ends when its link is revoked, however much it is used', async () => {
    const link = await stage.link({ ttlSeconds: 60, renew: true });
    const cookie = await sessionWithLeft(link, 30);
    const { client } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
    await stage.api('DELETE', `${links()}/${link.id}`);
    expect((await client.rest()).bytes).toBe('\x88\x19\x03\xf0access has been revoked');
    const ended = await stage.ask(stage.withCookie(cookie));
    expect(JSON.parse(ended.body).error).toMatchObject({ code: 'session_ended', reason: 'revoked' });
  });
});
