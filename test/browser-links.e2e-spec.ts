import { describe, expect, it } from 'vitest';
import { BrowserStage } from './kit/browser-stage.js';
import { DOORS, UPGRADE_LINES } from './kit/proxy-stage.js';
import { fieldsOfHead } from './kit/answer.js';
import { decodeId } from '../src/platform/identifiers/resource-id.js';

const stage = new BrowserStage();
const other = new BrowserStage({ env: { PUBLIC_URL: 'https://sandboxes.example.com' } });

/** So that the next request comes on a connection of its own. */
const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const path = () => `/v1/sandboxes/${stage.sandbox.id}/links`;

describe('a preview link', () => {
  it('is made by the team, opens the port, and shows its token once', async () => {
    const before = Date.now();
    const { status, body } = await stage.api('POST', path(), { port: 3000, label: 'for Ada' });
    expect(status).toBe(201);
    const { url, ...view } = body as unknown as Record<string, string>;
    expect(url).toMatch(
      new RegExp(
        `^http://3000-${stage.sandbox.id}\\.localhost:${stage.started.port}/\\?sandbox_link=wrl_[\\w-]{68}$`,
      ),
    );
    expect(view).toEqual({
      id: expect.stringMatching(/^link-[0-9a-z]{25}$/),
      port: 3000,
      ports: [3000],
      label: 'for Ada',
      once: false,
      embed: false,
      allowedOrigins: [],
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
      renew: false,
      renewUntil: null,
      endSessionsOnPause: false,
      usedAt: null,
    });
    expect(Date.parse(view['expiresAt'] as string) - before).toBeGreaterThan(899_000);
    expect(Date.parse(view['expiresAt'] as string) - before).toBeLessThan(905_000);
    const list = await stage.api('GET', path());
    expect(list.body.items).toEqual([view]);
    expect(JSON.stringify(list.body)).not.toContain('wrl_');
  });

  it('is stored as a hash', async () => {
    const { token } = await stage.link();
    const [row] = await stage.started.db.query<{ text: string }>(
      `SELECT l::text AS text FROM sandbox_links l WHERE sandbox_id = $1`,
      [stage.sandbox.uuid],
    );
    expect(row?.text).not.toContain(token.slice(29));
  });

  it.each([
    [{}, 'port'],
    [{ port: 0 }, 'port'],
    [{ port: 65_536 }, 'port'],
    [{ port: 22 }, 'port 22 cannot be reached from outside'],
    [{ port: 3000, ttlSeconds: 29 }, 'ttlSeconds'],
    [{ port: 3000, ttlSeconds: 86_401 }, 'ttlSeconds'],
    [{ port: 3000, label: '' }, 'label'],
    [{ port: 3000, once: 'yes' }, 'once'],
    [{ port: 3000, allowedOrigins: ['https://a.example/path'] }, 'allowedOrigins'],
    [{ port: 3000, allowedOrigins: ['*'] }, 'allowedOrigins'],
    [{ port: 3000, nonsense: 1 }, 'nonsense'],
  ])('is refused for %j', async (body, problem) => {
    const answer = await stage.api('POST', path(), body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.problems.join()).toContain(problem);
  });

  it("is not to be had for another team's sandbox, nor listed or revoked there", async () => {
    const foreign = await stage.rows.sandbox((await stage.rows.team()).id, stage.hostId);
    const own = await stage.link();
    for (const [method, at, body] of [
      ['POST', `/v1/sandboxes/${foreign.id}/links`, { port: 3000 }],
      ['GET', `/v1/sandboxes/${foreign.id}/links`, undefined],
      ['DELETE', `/v1/sandboxes/${foreign.id}/links/${own.id}`, undefined],
    ] as const) {
      const answer = await stage.api(method, at, body);
      expect([answer.status, answer.body.error.message]).toEqual([404, 'sandbox not found']);
    }
    expect((await stage.api('GET', path())).body.items).toHaveLength(1);
  });

  it('is exchanged for a cookie and the same place without the token', async () => {
    const { token } = await stage.link();
    const answer = await stage.open(`/a%2Fb//c?x=1&sandbox_link=${token}&y=%20`);
    expect(answer.status).toBe(303);
    expect(answer.header('location')).toBe('/a%2Fb//c?x=1&y=%20');
    expect(answer.header('set-cookie')).toMatch(
      /^sandbox_session=wrs_[\w-]{68}; Path=\/; HttpOnly; Max-Age=2592000; SameSite=Lax$/,
    );
    expect(answer.header('cache-control')).toBe('no-store');
    expect(answer.header('referrer-policy')).toBe('no-referrer');
    expect(answer.header('x-sandbox-error')).toBeUndefined();
    expect(answer.body).toBe('');
  });

  it('opens the sandbox for browsers that have the cookie, again and again', async () => {
    const cookie = await stage.session(await stage.link());
    const { answer, head } = await stage.exchange(
      stage.withCookie(`a=1; ${cookie}; b=2`, 'GET', '/x', ['X-API-Key: the-apps-own']),
    );
    expect(answer.status).toBe(200);
    expect(head.split('\r\n')[0]).toBe(`GET ${stage.prefix()}/x HTTP/1.1`);
    const fields = new Map(fieldsOfHead(head));
    expect(fields.get('Cookie')).toBe('a=1; b=2');
    expect(fields.get('X-API-Key')).toBe('the-apps-own');
    expect(head).not.toMatch(/wr[ls]_/);
  });

  it('is exchanged by more than one browser, each with a session of its own', async () => {
    const link = await stage.link();
    const cookies = [await stage.session(link), await stage.session(link)];
    expect(new Set(cookies).size).toBe(2);
  });

  it.each(DOORS)('says 401 without one (%s)', async (door) => {
    const answer = await stage.ask(stage.knockAt(door, stage.host(), { key: null }));
    expect(answer.status).toBe(401);
    expect(answer.header('x-sandbox-error')).toBe('proxy;unauthorized');
  });
});

describe('the cookie', () => {
  it.each([
    [false, 'Secure; SameSite=Lax'],
    [true, 'Secure; SameSite=None; Partitioned'],
  ])('is host-bound on HTTPS; embed: %j', async (embed, end) => {
    const { token } = await other.link({ embed });
    const answer = await other.open(`/?sandbox_link=${token}`);
    expect(answer.header('set-cookie')).toMatch(
      new RegExp(`^__Host-sandbox_session=wrs_[\\w-]{68}; Path=/; HttpOnly; Max-Age=\\d+; ${end}$`),
    );
  });

  // A neighbour under the same domain can set a cookie without the prefix for all of it, by script.
  it('without the prefix counts for nothing on HTTPS', async () => {
    const cookie = await other.session(await other.link());
    const planted = cookie.replace('__Host-', '');
    expect((await other.ask(other.withCookie(planted))).status).toBe(401);
    const { answer } = await other.exchange(other.withCookie(`${planted}; ${cookie}`));
    expect(answer.status).toBe(200);
  });

  it('with the prefix counts for nothing without HTTPS', async () => {
    const cookie = await stage.session(await stage.link());
    expect((await stage.ask(stage.withCookie(`__Host-${cookie}`))).status).toBe(401);
  });

  it('is found behind others of its name that a neighbour has planted', async () => {
    const cookie = await stage.session(await stage.link());
    const planted = `sandbox_session=wrs_${'0'.repeat(25)}${'A'.repeat(43)}; sandbox_session=x`;
    const { answer, head } = await stage.exchange(stage.withCookie(`${planted}; ${cookie}`));
    expect(answer.status).toBe(200);
    expect(head).not.toContain('Cookie');
  });

  it.each([0, 1])('is found in whichever Cookie line it stands: %i', async (at) => {
    const cookie = await stage.session(await stage.link());
    const lines = ['Cookie: sandbox_session=x', 'Cookie: sandbox_session=y'];
    lines[at] = `Cookie: ${cookie}`;
    const { answer } = await stage.exchange(stage.bare('GET', '/', [`Host: ${stage.host()}`, ...lines]));
    expect(answer.status).toBe(200);
  });

  it('of an app with our name is not set', async () => {
    const cookie = await stage.session(await stage.link());
    const { answer } = await stage.exchange(
      stage.withCookie(cookie),
      'HTTP/1.1 200 OK\r\nSet-Cookie: sandbox_session=x\r\nSet-Cookie: __Host-sandbox_session=y\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n',
    );
    expect(answer.all('set-cookie')).toEqual(['own=1']);
  });

  it.each(DOORS)('opens no other port of the sandbox, and no other sandbox (%s)', async (door) => {
    const cookie = await stage.session(await stage.link());
    const lines = door === 'upgrade' ? UPGRADE_LINES : [];
    const sibling = await stage.rows.sandbox(stage.team.id, stage.hostId);
    for (const host of [stage.host(3001), `3000-${sibling.id}.localhost`]) {
      const answer = await stage.ask(
        stage.bare('GET', '/', [`Host: ${host}`, `Cookie: ${cookie}`, ...lines]),
      );
      expect([answer.status, answer.header('x-sandbox-error')]).toEqual([401, 'proxy;unauthorized']);
    }
  });
});

describe('a token', () => {
  it('opens no other port, no other sandbox, and is no cookie; nor is a cookie a token', async () => {
    const link = await stage.link();
    const cookie = (await stage.session(link)).split('=')[1] as string;
    const sibling = await stage.rows.sandbox(stage.team.id, stage.hostId);
    const at = (host: string, target: string, lines: string[] = []) =>
      stage.ask(stage.bare('GET', target, [`Host: ${host}`, ...lines]));
    for (const answer of [
      await at(stage.host(3001), `/?sandbox_link=${link.token}`),
      await at(`3000-${sibling.id}.localhost`, `/?sandbox_link=${link.token}`),
      await at(stage.host(), `/?sandbox_link=${cookie}`),
      await at(stage.host(), `/?sandbox_link=${cookie.replace('wrs_', 'wrl_')}`),
      await at(stage.host(), '/', [`Cookie: sandbox_session=${link.token}`]),
      await at(stage.host(), '/', [`Cookie: sandbox_session=${link.token.replace('wrl_', 'wrs_')}`]),
      await at(stage.host(), '/', [`X-API-Key: ${link.token}`]),
      // the right row, another secret
      await at(stage.host(), `/?sandbox_link=${link.token.slice(0, 29)}${'A'.repeat(43)}`),
      await at(stage.host(), '/', [`Cookie: sandbox_session=${cookie.slice(0, 29)}${'A'.repeat(43)}`]),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.all('set-cookie')).toEqual([]);
    }
  });

  it('that has expired by a second is worth nothing, and neither is its session', async () => {
    const link = await stage.link();
    const cookie = await stage.session(link);
    const expire = `UPDATE sandbox_links SET expires_at = now() - interval '1 second' WHERE sandbox_id = $1`;
    await stage.told(() => stage.started.db.query(expire, [stage.sandbox.uuid]));
    const answer = await stage.open(`/?sandbox_link=${link.token}`);
    expect([answer.status, JSON.parse(answer.body).error.message]).toEqual([
      401,
      'the link has expired; ask for a new link',
    ]);
    expect((await stage.ask(stage.withCookie(cookie))).status).toBe(401);
  });

  it('reaches the sandbox in no spelling, whatever else admits', async () => {
    const { token } = await stage.link();
    const targets: readonly [string, string][] = [
      [`/?sandbox_link=${token.slice(0, -1)}`, '/'],
      [`/?a&sandbox%5Flink=wrl_x&b`, '/?a&b'],
      [`/?%73andbox_link=wrl_x`, '/'],
      [`/?sandbox_link=a&sandbox_link=${token}`, '/'],
      [`/?sandbox_link`, '/'],
      [`/?sandbox_links=1&x=%zz`, '/?sandbox_links=1&x=%zz'],
    ];
    for (const [target, expected] of targets) {
      const { head } = await stage.exchange(stage.head('GET', target), CLOSING);
      expect(head.split('\r\n')[0]).toBe(`GET ${stage.prefix()}${expected} HTTP/1.1`);
    }
    const { head } = await stage.exchange(
      stage.head('POST', `/?sandbox_link=${token}`, ['Content-Length: 0']),
    );
    expect(head.split('\r\n')[0]).toBe(`POST ${stage.prefix()}/ HTTP/1.1`);
  });

  it.each(DOORS)('anywhere else in the path or query is refused, and so is a key (%s)', async (door) => {
    const { token } = await stage.link();
    for (const target of [
      `/${token}`,
      `/?x=/?sandbox_link=${token}`,
      `/?q=${token}&y`,
      `/?key=${stage.team.key}`,
      `/??sandbox_link=${token.replace('_', '%5f')}`,
    ]) {
      const answer = await stage.ask(stage.knock(door, target));
      expect([answer.status, answer.header('x-sandbox-error')]).toEqual([400, 'proxy;invalid_path']);
    }
  });

  it('reaches the sandbox in no header, e.g. Referer', async () => {
    const { token, url } = await stage.link();
    const cookie = await stage.session({ id: '', url, token });
    const { head } = await stage.exchange(
      stage.head('GET', '/', [`Referer: ${url}`, `X-Other: a ${cookie} b`, 'Accept: text/plain']),
    );
    const names = fieldsOfHead(head).map(([name]) => name);
    expect(names).toContain('Accept');
    expect(names).not.toContain('Referer');
    expect(names).not.toContain('X-Other');
  });

  // `Location: //evil.example/` would be another host.
  it.each([
    ['//evil.example/a', '/.//evil.example/a'],
    ['/\\evil.example', '/./\\evil.example'],
    ['///evil.example', '/.///evil.example'],
    ['/a/../../b', '/b'],
    ['/x/..//evil.example', '/.//evil.example'],
  ])('is no open redirect: %s', async (target, location) => {
    const { token } = await stage.link();
    const answer = await stage.open(`${target}?sandbox_link=${token}`);
    expect([answer.status, answer.header('location')]).toEqual([303, location]);
    const resolved = new URL(location, `http://${stage.host()}/`);
    expect(resolved.host).toBe(stage.host());
  });

  it('is exchanged by a GET alone', async () => {
    const { token } = await stage.link();
    const target = `/?sandbox_link=${token}`;
    const lines = [`Host: ${stage.host()}`];
    for (const bytes of [
      stage.bare('HEAD', target, lines),
      stage.bare('POST', target, [...lines, 'Content-Length: 0']),
      stage.bare('GET', target, [...lines, ...UPGRADE_LINES]),
    ]) {
      expect((await stage.ask(bytes)).status).toBe(401);
    }
    expect((await stage.open(target)).status).toBe(303);
  });
});

describe('a browser that opens a link again', () => {
  it('keeps the session that it has by that link', async () => {
    const link = await stage.link();
    const cookie = await stage.session(link);
    for (let i = 0; i < 3; i += 1) {
      const answer = await stage.open(`/a?x&sandbox_link=${link.token}`, [
        `Cookie: sandbox_session=x; ${cookie}`,
      ]);
      expect([answer.status, answer.header('location')]).toEqual([303, '/a?x']);
      expect(answer.all('set-cookie')).toEqual([]);
    }
    expect(await sessionsOf(link.id)).toBe(1);
  });

  it('gets another one by another link, or where its own has ended', async () => {
    const [first, second] = [await stage.link(), await stage.link()];
    const cookie = await stage.session(first);
    expect(await stage.session(second, [`Cookie: ${cookie}`])).not.toBe(cookie);
    await stage.told(() => stage.api('DELETE', `${path()}/${first.id}`));
    const answer = await stage.open(`/?sandbox_link=${first.token}`, [`Cookie: ${cookie}`]);
    expect(answer.status).toBe(401);
  });

  it('has none by a link of another port', async () => {
    const [link, other] = [await stage.link(), await stage.link({ port: 3001 })];
    const cookie = await stage.session(link);
    const answer = await stage.open(`/?sandbox_link=${other.token}`, [`Cookie: ${cookie}`], 3001);
    expect([answer.status, answer.all('set-cookie')]).toEqual([303, [expect.any(String)]]);
  });
});

async function sessionsOf(linkId: string): Promise<number> {
  const rows = await stage.started.db.query(`SELECT 1 FROM sandbox_sessions WHERE link_id = $1`, [
    decodeId('link', linkId),
  ]);
  return rows.length;
}
