import { describe, expect, it } from 'vitest';
import { decodeId, encodeId } from '../src/platform/identifiers/resource-id.js';
import { BrowserStage, type LinkOptions, type MadeLink } from './kit/browser-stage.js';
import type { Answer } from './kit/answer.js';
import { DOORS, UPGRADE_LINES } from './kit/proxy-stage.js';

// A visitor whose link had expired was told "X-API-Key header required", as if that were something a visitor has.

const stage = new BrowserStage({ env: { LINK_MAX_TTL_SECONDS: '2592000' } });

/** So that the next request comes on a connection of its own. */
const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const statusOf = async (bytes: string): Promise<number> =>
  (await stage.exchange(bytes, CLOSING)).answer.status;

const links = (): string => `/v1/sandboxes/${stage.sandbox.id}/links`;
const uuidOf = (link: MadeLink): string => decodeId('link', link.id) as string;
const revoke = (link: MadeLink): Promise<unknown> =>
  stage.told(() => stage.api('DELETE', `${links()}/${link.id}`));
const expire = (link: MadeLink): Promise<unknown> =>
  stage.told(() =>
    stage.started.db.query(`UPDATE sandbox_links SET expires_at = now() WHERE id = $1`, [uuidOf(link)]),
  );
const status = (value: string): Promise<unknown> =>
  stage.told(() =>
    stage.started.db.query('UPDATE sandboxes SET status = $1 WHERE id = $2', [value, stage.sandbox.uuid]),
  );
const paused = async (): Promise<void> => {
  await status('paused');
  await status('running');
};
const confirm = (link: MadeLink): Promise<Answer> =>
  stage.ask(
    stage.bare('POST', `/?sandbox_link=${link.token}`, [
      `Host: ${stage.host()}`,
      `Origin: http://${stage.host()}`,
      'Content-Length: 0',
    ]),
  );

/** The answer as JSON: status, header, reason and message. */
function told(answer: Answer): unknown[] {
  const { code, reason, message } = JSON.parse(answer.body).error;
  expect(answer.header('x-sandbox-error')).toBe(`proxy;${code}`);
  return [answer.status, code, reason, message];
}

const SESSION_ENDS: readonly [string, LinkOptions, (link: MadeLink) => Promise<unknown>, string][] = [
  ['expired', {}, expire, 'the session has expired; ask for a new link'],
  ['revoked', {}, revoke, 'the session has been revoked; ask for a new link'],
  [
    'paused',
    { endSessionsOnPause: true },
    paused,
    'the session has ended because the sandbox was paused or moved; open the link again, or ask for a new one',
  ],
];

describe.each(SESSION_ENDS)('a visitor whose session is %s', (reason, options, end, message) => {
  it.each(DOORS)('is told so (%s)', async (door) => {
    const link = await stage.link(options);
    const cookie = await stage.session(link);
    await end(link);
    const lines = door === 'upgrade' ? UPGRADE_LINES : [];
    for (let i = 0; i < 2; i += 1) {
      const answer = await stage.ask(stage.withCookie(cookie, 'GET', '/', lines));
      expect(told(answer)).toEqual([401, 'session_ended', reason, message]);
    }
  });

  it('is told so by a page, with what to do', async () => {
    const link = await stage.link(options);
    const cookie = await stage.session(link);
    await end(link);
    const answer = await stage.ask(stage.withCookie(cookie, 'GET', '/', ['Accept: text/html']));
    expect([answer.status, answer.header('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
    expect(answer.body).toContain(message);
    expect(answer.body).toMatch(/<h1>(Your access|This link)/);
    expect(answer.body).not.toContain('X-API-Key');
  });

  it('is told nothing without the whole token, or elsewhere', async () => {
    const link = await stage.link(options);
    const cookie = await stage.session(link);
    await end(link);
    const stranger = `sandbox_session=wrs_${encodeId('link', crypto.randomUUID()).slice(5)}${'A'.repeat(43)}`;
    const expected = told(await stage.ask(stage.withCookie(stranger)));
    expect(expected[1]).toBe('unauthorized');
    const changed = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`;
    const secretless = `${cookie.slice(0, -43)}${'A'.repeat(43)}`;
    for (const partial of [changed, secretless])
      expect(told(await stage.ask(stage.withCookie(partial)))).toEqual(expected);
    expect(told(await stage.ask(stage.withCookie(cookie, 'GET', '/', [], 3001)))).toEqual(expected);
  });

  it('gets in by what else admits: a key, a public port, another session', async () => {
    const link = await stage.link(options);
    const cookie = await stage.session(link);
    await end(link);
    const key = `X-API-Key: ${stage.team.key}`;
    expect(await statusOf(stage.withCookie(cookie, 'GET', '/', [key]))).toBe(200);
    const other = await stage.session(await stage.link());
    expect(await statusOf(stage.withCookie(`${cookie}; ${other}`))).toBe(200);
    await stage.putPort(3000, { visibility: 'public' });
    expect(await statusOf(stage.withCookie(cookie))).toBe(200);
  });
});

const LINK_ENDS: readonly [string, LinkOptions, (link: MadeLink) => Promise<unknown>, string][] = [
  ['expired', {}, expire, 'the link has expired; ask for a new link'],
  ['revoked', {}, revoke, 'the link has been revoked; ask for a new link'],
  ['used', { once: true }, confirm, 'the link works once, and has been used; ask for a new link'],
];

describe.each(LINK_ENDS)('a visitor whose link is %s', (reason, options, end, message) => {
  it('is told so', async () => {
    const link = await stage.link(options);
    await end(link);
    const target = `/?sandbox_link=${link.token}`;
    expect(told(await stage.open(target))).toEqual([401, 'session_ended', reason, message]);
    expect(told(await confirm(link))).toEqual([401, 'session_ended', reason, message]);
    const page = await stage.open(target, ['Accept: text/html']);
    expect([page.status, page.body.includes(message)]).toEqual([401, true]);
    expect(page.body).not.toContain('X-API-Key');
  });

  it('is told nothing without the whole token, or elsewhere', async () => {
    const link = await stage.link(options);
    await end(link);
    const stranger = `wrl_${encodeId('link', crypto.randomUUID()).slice(5)}${'A'.repeat(43)}`;
    const expected = told(await stage.open(`/?sandbox_link=${stranger}`));
    expect(expected[1]).toBe('unauthorized');
    const partial = `${link.token.slice(0, -1)}${link.token.endsWith('A') ? 'B' : 'A'}`;
    expect(told(await stage.open(`/?sandbox_link=${partial}`))).toEqual(expected);
    expect(told(await stage.open(`/?sandbox_link=${link.token}`, [], 3001))).toEqual(expected);
  });
});

describe('a link that has been revoked', () => {
  it('is in no list, and cannot be revoked again', async () => {
    const link = await stage.link();
    await revoke(link);
    expect((await stage.api('GET', links())).body.items).toEqual([]);
    expect((await stage.api('DELETE', `${links()}/${link.id}`)).status).toBe(404);
  });
});

/** The close frame that a WebSocket of this session gets when `end` happens: code and reason. */
async function closeOf(cookie: string, end: () => Promise<unknown>): Promise<[number, string]> {
  const { client } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
  await end();
  const frame = Buffer.from((await client.rest()).bytes, 'latin1');
  return [frame.readUInt16BE(2), frame.toString('latin1', 4)];
}

describe('an open WebSocket is closed with the true reason', () => {
  it.each<[string, (link: MadeLink) => Promise<unknown>]>([
    ['expired', expire],
    ['revoked', revoke],
  ])('where its link is %s', async (reason, end) => {
    const link = await stage.link();
    const closed = await closeOf(await stage.session(link), () => end(link));
    expect(closed).toEqual([1008, `access has ${reason === 'revoked' ? 'been ' : ''}${reason}`]);
  });

  it('where its team is deleted', async () => {
    const { team: remaining } = stage;
    stage.team = await stage.rows.team();
    stage.sandbox = await stage.told(() => stage.rows.sandbox(stage.team.id, stage.hostId));
    const cookie = await stage.session(await stage.link());
    const remove = 'UPDATE teams SET deleted_at = now() WHERE id = $1';
    const closed = await closeOf(cookie, () => stage.started.db.query(remove, [stage.team.id]));
    stage.team = remaining;
    expect(closed).toEqual([1008, 'access has been revoked']);
    expect(told(await stage.ask(stage.withCookie(cookie)))).toContain('revoked');
  });
});

describe('a sandbox that is paused and resumed', () => {
  it.each(DOORS)('does not cost its visitor the session (%s)', async (door) => {
    const link = await stage.link();
    const cookie = await stage.session(link);
    const lines = door === 'upgrade' ? UPGRADE_LINES : [];
    const open = await stage.stream(stage.withCookie(cookie));
    expect(await closeOf(cookie, () => status('paused'))).toEqual([1001, 'the sandbox is not running']);
    expect((await open.client.rest()).bytes).toBe('');
    const meanwhile = await stage.ask(stage.withCookie(cookie, 'GET', '/', lines));
    expect([meanwhile.status, meanwhile.header('x-sandbox-error')]).toEqual([
      409,
      'proxy;sandbox_not_running',
    ]);
    await status('running');
    const { head } = await stage.begin(stage.withCookie(cookie, 'GET', '/again', lines));
    expect(head).toMatch(/^GET \S+\/again HTTP/);
  });

  it('nor does one that goes on at another host', async () => {
    const cookie = await stage.session(await stage.link());
    await status('paused');
    const hostId = await stage.rows.host(stage.agentAddress);
    await stage.told(() =>
      stage.started.db.query(`UPDATE sandboxes SET host_id = $1, status = 'running' WHERE id = $2`, [
        hostId,
        stage.sandbox.uuid,
      ]),
    );
    expect((await stage.exchange(stage.withCookie(cookie))).answer.status).toBe(200);
  });

  it('ends the sessions of links that say so, and of no others', async () => {
    const strict = await stage.session(await stage.link({ endSessionsOnPause: true }));
    const other = await stage.session(await stage.link());
    await paused();
    expect(told(await stage.ask(stage.withCookie(strict)))[2]).toBe('paused');
    expect((await stage.exchange(stage.withCookie(other))).answer.status).toBe(200);
  });
});

// The frame of a page that shows a sandbox by a link with `embed` was empty where the sandbox was paused.
describe.each([
  [true, false],
  [false, true],
])('where the link has embed: %j, a page of ours', (embed, isKeptFromFrames) => {
  it('may be framed as the sandbox may', async () => {
    const link = await stage.link({ embed });
    const cookie = await stage.session(link);
    await status('paused');
    const page = (): Promise<Answer> =>
      stage.ask(stage.withCookie(cookie, 'GET', '/', ['Accept: text/html']));
    const pages = [await page()];
    await status('running');
    await expire(link);
    pages.push(await page(), await stage.open(`/?sandbox_link=${link.token}`, ['Accept: text/html']));
    expect(pages.map((answer) => answer.status)).toEqual([409, 401, 401]);
    for (const answer of pages)
      expect(answer.header('content-security-policy')?.includes("frame-ancestors 'none'")).toBe(
        isKeptFromFrames,
      );
  });
});

describe('the cookie of a session', () => {
  it('outlives the session, and comes with no answer of an app', async () => {
    const { token } = await stage.link({ ttlSeconds: 30 });
    const opened = await stage.open(`/?sandbox_link=${token}`);
    expect(opened.header('set-cookie')).toContain('; Max-Age=2592000;');
    const cookie = opened.header('set-cookie')?.split(';', 1)[0] as string;
    expect((await stage.exchange(stage.withCookie(cookie))).answer.all('set-cookie')).toEqual([]);
  });
});

describe('what has ended', () => {
  const count = async (table: string): Promise<number> =>
    (
      await stage.started.db.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM ${table} WHERE sandbox_id = $1`,
        [stage.sandbox.uuid],
      )
    )[0]?.count ?? -1;

  it('is remembered of the last 1,000 sessions of a sandbox, and for 30 days', async () => {
    const link = await stage.link();
    const ended = (number: number, ago: string): Promise<unknown> =>
      stage.started.db.query(
        `INSERT INTO sandbox_sessions (id, link_id, sandbox_id, token_hash, expires_at)
         SELECT gen_random_uuid(), $1, $2, '', now() - $3::interval - n * interval '1 second'
           FROM generate_series(1, $4) n`,
        [uuidOf(link), stage.sandbox.uuid, ago, number],
      );
    await ended(10, '30 days');
    await ended(500, '1 day');
    await stage.session(link);
    expect(await count('sandbox_sessions')).toBe(501);
    await ended(600, '1 hour');
    await stage.session(link);
    expect(await count('sandbox_sessions')).toBe(1_002);
  });

  it('is remembered of the last 200 links of a sandbox, and counts for no quota', async () => {
    await stage.started.db.query(
      `INSERT INTO sandbox_links (id, sandbox_id, port, token_hash, once, embed, expires_at)
       SELECT gen_random_uuid(), $1, 3000, '', false, false, now() - n * interval '1 hour'
         FROM generate_series(1, 1100) n`,
      [stage.sandbox.uuid],
    );
    await stage.link();
    expect(await count('sandbox_links')).toBe(201);
  });
});
