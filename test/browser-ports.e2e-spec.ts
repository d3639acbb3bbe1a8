import { describe, expect, it } from 'vitest';
import { BrowserStage } from './kit/browser-stage.js';
import { DOORS, MISSING, UPGRADE_LINES } from './kit/proxy-stage.js';
import { type Answer, fieldsOfHead } from './kit/answer.js';
import { SOON_MS, until } from './kit/wait.js';

const WAITING = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;

const APP = 'https://app.example.com';
const EVIL = 'https://evil.example.com';
const PREFLIGHT = [
  'Access-Control-Request-Method: PUT',
  'Access-Control-Request-Headers: content-type,x-own',
] as const;

const stage = new BrowserStage();
const open = new BrowserStage({ env: { DENIED_PORTS: 'none' } });

const path = (port: number | string) => `/v1/sandboxes/${stage.sandbox.id}/ports/${port}`;

/** A request at the sandbox's host with no credential. */
function bare(method: string, lines: readonly string[] = [], host = stage.host()): string {
  return stage.bare(method, '/', [`Host: ${host}`, ...lines]);
}

function knock(door: (typeof DOORS)[number], lines: readonly string[] = []): string {
  return bare('GET', door === 'upgrade' ? [...UPGRADE_LINES, ...lines] : lines);
}

describe("a port's settings", () => {
  it('are listed where they are its own, and replaced as a whole', async () => {
    expect((await stage.api('GET', path('').slice(0, -1))).body).toEqual({ items: [], next: null });
    const settings = { visibility: 'public', cors: [APP], appHost: 'external' };
    expect((await stage.api('PUT', path(3000), settings)).body).toEqual({ port: 3000, ...settings });
    expect((await stage.api('PUT', path(80), {})).body).toEqual({
      port: 80,
      visibility: 'private',
      cors: 'app',
      appHost: 'local',
    });
    expect((await stage.api('PUT', path(3000), { cors: 'app' })).body).toMatchObject({
      visibility: 'private',
    });
    expect((await stage.api('GET', path('').slice(0, -1))).body.items).toEqual([
      { port: 80, visibility: 'private', cors: 'app', appHost: 'local' },
      { port: 3000, visibility: 'private', cors: 'app', appHost: 'local' },
    ]);
  });

  it.each([
    [3000, { visibility: 'secret' }],
    [3000, { appHost: 'localhost' }],
    [3000, { cors: '*' }],
    [3000, { cors: [] }],
    [3000, { cors: ['*'] }],
    [3000, { cors: [`${APP}/`] }],
    [3000, { cors: ['null'] }],
    [0, {}],
    [65_536, {}],
    ['x', {}],
    [49_983, { visibility: 'public' }],
  ])('are refused: %j %j', async (port, settings) => {
    expect((await stage.api('PUT', path(port), settings)).status).toBe(400);
  });

  it('are taken back by DELETE', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    expect((await stage.told(() => stage.api('DELETE', path(3000)))).status).toBe(204);
    expect((await stage.ask(knock('HTTP'))).status).toBe(401);
    expect((await stage.api('DELETE', path(3000))).status).toBe(404);
  });

  it('can still be changed where there are as many as there may be', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    await stage.started.db.query(
      `INSERT INTO sandbox_ports (sandbox_id, port, visibility) SELECT $1, n, 'private' FROM generate_series(10001, 10999) n`,
      [stage.sandbox.uuid],
    );
    expect((await stage.api('PUT', path(3001), {})).status).toBe(409);
    expect((await stage.api('PUT', path(3000), { visibility: 'private' })).status).toBe(200);
  });

  it.each(['links', 'ports'])(
    "and links are not written once the sandbox is another team's: %s",
    async (kind) => {
      const { id } = await stage.rows.team();
      await stage.started.db.query('BEGIN');
      await stage.started.db.query('UPDATE sandboxes SET team_id = $1 WHERE id = $2', [
        id,
        stage.sandbox.uuid,
      ]);
      const writing =
        kind === 'ports'
          ? stage.api('PUT', path(3000), { visibility: 'public' })
          : stage.api('POST', path('').replace('ports/', 'links'), { port: 3000 });
      const { query } = stage.started.db;
      await until(async () => {
        await query('SELECT pg_stat_clear_snapshot()');
        return (await query(WAITING)).length > 0;
      }, 'the write waits for the transaction');
      await stage.started.db.query('COMMIT');
      expect((await writing).status).toBe(404);
    },
  );

  it("are not to be had for another team's sandbox", async () => {
    const foreign = await stage.rows.sandbox((await stage.rows.team()).id, stage.hostId);
    for (const [method, at] of [
      ['PUT', `/v1/sandboxes/${foreign.id}/ports/3000`],
      ['GET', `/v1/sandboxes/${foreign.id}/ports`],
    ] as const)
      expect((await stage.api(method, at, method === 'PUT' ? {} : undefined)).status).toBe(404);
  });
});

describe.each(DOORS)('a public port (%s)', (door) => {
  it('needs no credential, and takes an app key for what it is', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const { head } = await stage.begin(knock(door, ['X-API-Key: the-apps-own']));
    expect(new Map(fieldsOfHead(head)).get('X-API-Key')).toBe('the-apps-own');
  });

  // 404 for whoever happened to have a key of their own
  it("is public for a team with a key of its own, which the app does not see; a private one's 404 tells nothing", async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const other = await stage.rows.team();
    const knockAt = (host: string) => stage.knockAt(door, host, { key: other.key });
    const { head } = await stage.begin(knockAt(stage.host()));
    expect(head.startsWith(`GET ${stage.prefix()}/ HTTP`)).toBe(true);
    expect(head).not.toContain(other.key);
    await stage.putPort(3001, { visibility: 'private' });
    const [hidden, missing] = [await stage.ask(knockAt(stage.host(3001))), await stage.ask(knockAt(MISSING))];
    const told = ({ status, body }: Answer) => [status, JSON.parse(body).error.message];
    expect(told(hidden)).toEqual([404, 'sandbox not found']);
    expect(told(missing)).toEqual(told(hidden));
  });

  it('is public alone: not its neighbour, not the same port of another sandbox', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const sibling = await stage.rows.sandbox(stage.team.id, stage.hostId);
    for (const host of [stage.host(3001), `3000-${sibling.id}.localhost`, MISSING]) {
      const answer = await stage.ask(stage.knockAt(door, host, { key: null }));
      expect([answer.status, answer.header('x-sandbox-error')]).toEqual([401, 'proxy;unauthorized']);
    }
  });

  it('says 409 for a sandbox that does not run', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    await stage.told(() =>
      stage.started.db.query(`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [stage.sandbox.uuid]),
    );
    expect((await stage.ask(knock(door))).status).toBe(409);
  });
});

describe('a port that becomes private', () => {
  it('loses what was opened without a credential, and nothing else', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const socket = await stage.socket(knock('upgrade'));
    const stream = await stage.stream(knock('HTTP'));
    const keyed = await stage.socket(stage.knock('upgrade'));
    const since = performance.now();
    await stage.putPort(3000, { visibility: 'private' });
    expect((await socket.client.rest()).bytes).toContain('\x88\x19\x03\xf0access has been revoked');
    expect((await stream.client.rest()).bytes).toBe('');
    expect(performance.now() - since).toBeLessThan(SOON_MS);
    expect((await stage.ask(knock('HTTP'))).status).toBe(401);
    keyed.upstream.send('\x81\x02hi');
    expect(await keyed.client.bytes(4)).toBe('\x81\x02hi');
  });

  it('keeps what is open where only its CORS changes', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const { client, upstream } = await stage.socket(knock('upgrade'));
    await stage.putPort(3000, { visibility: 'public', cors: [APP] });
    upstream.send('\x81\x02hi');
    expect(await client.bytes(4)).toBe('\x81\x02hi');
  });

  it('is private for the next team that has the sandbox', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const { id } = await stage.rows.team();
    await stage.told(() =>
      stage.started.db.query('UPDATE sandboxes SET team_id = $1 WHERE id = $2', [id, stage.sandbox.uuid]),
    );
    expect((await stage.ask(knock('HTTP'))).status).toBe(401);
  });
});

describe.each(DOORS)('a denied port (%s)', (door) => {
  it.each([22, 49_983])('is 404 for everyone: %i', async (port) => {
    for (const key of [stage.team.key, null]) {
      const answer = await stage.ask(stage.knockAt(door, stage.host(port), { key }));
      expect([answer.status, answer.header('x-sandbox-error')]).toEqual([404, 'proxy;port_denied']);
    }
  });

  it('is none where the operator says so', async () => {
    const { head } = await open.begin(open.knockAt(door, open.host(22)));
    expect(head.split('\r\n')[0]).toBe(`GET ${open.prefix(22)}/ HTTP/1.1`);
  });
});

/** What an answer shows, besides when and to which request it was given. */
function fingerprint({ status, fields, body }: Answer): Pick<Answer, 'status' | 'fields' | 'body'> {
  const shown = fields.filter(([name]) => !/^(date|x-request-id)$/i.test(name));
  return { status, fields: shown, body: body.replace(/"requestId":"[^"]*"/, '') };
}

function preflight(origin: string, lines: readonly string[] = PREFLIGHT): string {
  return bare('OPTIONS', [`Origin: ${origin}`, ...lines]);
}

describe('a preflight', () => {
  it('is answered by the proxy before authentication, for an origin of the list', async () => {
    await stage.putPort(3000, { cors: ['https://a.example', APP] });
    const answer = await stage.ask(preflight(APP));
    expect(answer.status).toBe(204);
    expect(answer.header('access-control-allow-origin')).toBe(APP);
    expect(answer.header('access-control-allow-credentials')).toBe('true');
    expect(answer.header('access-control-allow-methods')).toBe('PUT');
    expect(answer.header('access-control-allow-headers')).toBe('content-type,x-own');
    expect(answer.all('vary').join()).toContain('Origin');
  });

  it.each([EVIL, 'null', 'https://app.example.com.evil.example', 'http://app.example.com', `${APP}:444`])(
    'of a public port is refused for an origin outside the list: %s',
    async (origin) => {
      await stage.putPort(3000, { cors: [APP], visibility: 'public' });
      const answer = await stage.ask(preflight(origin));
      expect([answer.status, answer.header('x-sandbox-error')]).toEqual([403, 'proxy;cross_site_request']);
      expect(answer.fields.filter(([name]) => /^access-control/i.test(name))).toEqual([]);
    },
  );

  // 403 for the one and 401 for the other told any page which private ports there are
  it('of a private port with a list is for other origins what it is of a port that is not there', async () => {
    await stage.putPort(3000, { cors: [APP] });
    const lines = [`Origin: ${EVIL}`, ...PREFLIGHT];
    const key = `X-API-Key: ${(await stage.rows.team()).key}`;
    for (const ask of [
      (host: string) => bare('OPTIONS', lines, host),
      (host: string) => bare('OPTIONS', [`Origin: ${EVIL}`], host),
      (host: string) => bare('GET', [`Origin: ${EVIL}`], host),
      (host: string) => bare('GET', [`Origin: ${EVIL}`, ...UPGRADE_LINES], host),
      (host: string) => bare('OPTIONS', [...lines, key], host),
      (host: string) => bare('GET', [`Origin: ${EVIL}`, key, ...UPGRADE_LINES], host),
    ]) {
      const [there, ...others] = await Promise.all(
        [stage.host(3000), stage.host(3001), MISSING].map(async (host) =>
          fingerprint(await stage.ask(ask(host))),
        ),
      );
      expect(there?.status).toBe(ask('').includes('X-API-Key') ? 404 : 401);
      for (const other of others) expect(there).toEqual(other);
    }
  });

  it('of a private port without a list goes to nobody without a credential', async () => {
    expect((await stage.ask(preflight(APP))).status).toBe(401);
    const { head } = await stage.begin(stage.head('OPTIONS', '/', [`Origin: ${APP}`, ...PREFLIGHT]));
    expect(head).toMatch(/^OPTIONS /);
  });

  it('of a public port without a list goes to the app, whose answer it is', async () => {
    await stage.putPort(3000, { visibility: 'public' });
    const said = 'HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n';
    const { answer } = await stage.exchange(preflight(EVIL), said);
    expect(answer.all('access-control-allow-origin')).toEqual(['*']);
  });

  it('is one only with the method it asks for: any other OPTIONS is for the app', async () => {
    await stage.putPort(3000, { cors: [APP] });
    expect((await stage.ask(preflight(APP, []))).status).toBe(401);
  });
});

describe('the CORS headers of an answer', () => {
  const SAID = [
    'HTTP/1.1 200 OK',
    'Access-Control-Allow-Origin: *',
    'access-control-allow-credentials: true',
    'Access-Control-Expose-Headers: X-Own',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
  const asked = async (origin: string) =>
    (await stage.exchange(stage.head('GET', '/', [`Origin: ${origin}`]), SAID)).answer;

  it("are the app's without a list", async () => {
    expect((await asked(EVIL)).all('access-control-allow-origin')).toEqual(['*']);
  });

  it("are the proxy's for an origin of the list, once", async () => {
    await stage.putPort(3000, { cors: [APP] });
    const answer = await asked(APP);
    expect(answer.all('access-control-allow-origin')).toEqual([APP]);
    expect(answer.all('access-control-allow-credentials')).toEqual(['true']);
    expect(answer.all('access-control-expose-headers')).toEqual(['X-Own']);
    expect(answer.all('vary')).toContain('Origin');
  });

  it('are none for an origin outside it, whatever the app says', async () => {
    await stage.putPort(3000, { cors: [APP] });
    const answer = await asked(EVIL);
    expect(answer.all('access-control-allow-origin')).toEqual([]);
    expect(answer.all('access-control-allow-credentials')).toEqual([]);
  });

  it('and those of other origins are kept apart by caches', async () => {
    await stage.putPort(3000, { cors: [APP], visibility: 'public' });
    const { answer } = await stage.exchange(bare('GET'), SAID.replace('X-Own', 'X-Own\r\nConnection: close'));
    expect(answer.all('access-control-allow-origin')).toEqual([]);
    expect(answer.all('vary')).toContain('Origin');
    expect((await asked(EVIL)).all('vary')).toContain('Origin');
  });

  it("let a page of the list read the proxy's own answers", async () => {
    await stage.putPort(3000, { cors: [APP] });
    const answer = await stage.ask(bare('GET', [`Origin: ${APP}`]));
    expect(answer.status).toBe(401);
    expect(answer.header('access-control-allow-origin')).toBe(APP);
    expect((await stage.ask(bare('GET', [`Origin: ${EVIL}`]))).header('access-control-allow-origin')).toBe(
      undefined,
    );
  });
});
