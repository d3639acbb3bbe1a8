import { describe, expect, it } from 'vitest';
import { BrowserStage } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';
import type { RawConnection } from './kit/raw-connection.js';
import { SOON_MS } from './kit/wait.js';

// Every change, and everything that rests on it, by key, session and public port: what is open ends, what waits is told
// why, and what comes from then on is not let in. The table is that of docs/architecture.md, "What a change means".

const stage = new BrowserStage();

const CREDENTIALS = ['key', 'session', 'public port'] as const;
type Credential = (typeof CREDENTIALS)[number];

/** What somebody comes with, and what is needed to take it away again. */
interface Visitor {
  readonly lines: readonly string[];
  readonly keyId: string;
  readonly linkId: string;
}

const VISITORS: Readonly<Record<Credential, () => Promise<Visitor>>> = {
  key: async () => {
    const { body } = await stage.told(() => stage.api('POST', '/v1/api-keys', { name: 'short-lived' }));
    return { lines: [`X-API-Key: ${body.key}`], keyId: String(body.id), linkId: '' };
  },
  session: async () => {
    const link = await stage.link();
    return { lines: [`Cookie: ${await stage.session(link)}`], keyId: '', linkId: link.id };
  },
  'public port': async () => {
    await stage.putPort(3000, { visibility: 'public' });
    return { lines: [], keyId: '', linkId: '' };
  },
};

/** What ends: what a request that waits is told, what a later one is told, and the code that a WebSocket closes with. */
interface Ending {
  readonly name: string;
  readonly of: readonly Credential[];
  readonly waiting: readonly [status: number, code: string];
  /** By the same visitor; one who has no standing any more is a stranger. */
  readonly later: Readonly<Record<Credential, number>>;
  readonly close: number;
  /** `here`: by this process's API, which answers when all is done; `elsewhere`: by another program. */
  readonly change: Partial<Record<'here' | 'elsewhere', (visitor: Visitor) => Promise<unknown>>>;
}

const path = (): string => `/v1/sandboxes/${stage.sandbox.id}`;
const update = (assignment: string): Promise<unknown> =>
  stage.started.db.query(`UPDATE sandboxes SET ${assignment} WHERE id = $1`, [stage.sandbox.uuid]);
const remove = (table: string): Promise<unknown> =>
  stage.started.db.query(`DELETE FROM ${table} WHERE sandbox_id = $1`, [stage.sandbox.uuid]);

const ENDINGS: readonly Ending[] = [
  {
    name: 'a key is deleted',
    of: ['key'],
    waiting: [401, 'unauthorized'],
    later: { key: 401, session: 0, 'public port': 0 },
    close: 1008,
    change: {
      here: ({ keyId }) => stage.api('DELETE', `/v1/api-keys/${keyId}`),
      elsewhere: () => stage.started.db.query(`DELETE FROM team_api_keys WHERE name = 'short-lived'`),
    },
  },
  {
    name: 'a link is revoked',
    of: ['session'],
    waiting: [401, 'session_ended'],
    later: { key: 0, session: 401, 'public port': 0 },
    close: 1008,
    change: {
      here: ({ linkId }) => stage.api('DELETE', `${path()}/links/${linkId}`),
      elsewhere: () => remove('sandbox_links'),
    },
  },
  {
    name: 'a port is made private',
    of: ['public port'],
    waiting: [401, 'unauthorized'],
    later: { key: 0, session: 0, 'public port': 401 },
    close: 1008,
    change: {
      here: () => stage.api('PUT', `${path()}/ports/3000`, { visibility: 'private' }),
      elsewhere: () => remove('sandbox_ports'),
    },
  },
  ...['paused', 'stopped'].map((status): Ending => ({
    name: `a sandbox is ${status}`,
    of: CREDENTIALS,
    waiting: [409, 'sandbox_not_running'],
    later: { key: 409, session: 409, 'public port': 409 },
    close: 1001,
    change: {
      here: () => stage.api('PATCH', path(), { status }),
      elsewhere: () => update(`status = '${status}'`),
    },
  })),
  {
    name: 'a sandbox moves to another host',
    of: CREDENTIALS,
    waiting: [503, 'host_unavailable'],
    later: { key: 200, session: 200, 'public port': 200 },
    close: 1001,
    change: { elsewhere: async () => update(`host_id = '${await stage.rows.host(stage.agentAddress)}'`) },
  },
  {
    name: 'a sandbox is given to another team',
    of: CREDENTIALS,
    waiting: [404, 'sandbox_not_found'],
    later: { key: 404, session: 401, 'public port': 401 },
    close: 1008,
    change: { elsewhere: async () => update(`team_id = '${(await stage.rows.team()).id}'`) },
  },
  {
    name: 'a sandbox is deleted',
    of: CREDENTIALS,
    waiting: [404, 'sandbox_not_found'],
    later: { key: 404, session: 401, 'public port': 401 },
    close: 1008,
    change: {
      here: () => stage.api('DELETE', path()),
      elsewhere: () => stage.started.db.query('DELETE FROM sandboxes WHERE id = $1', [stage.sandbox.uuid]),
    },
  },
];

const CASES = ENDINGS.flatMap((ending) =>
  ending.of.flatMap((credential) =>
    (['here', 'elsewhere'] as const).flatMap((where) => {
      const change = ending.change[where];
      return change === undefined ? [] : [{ ...ending, credential, where, change }];
    }),
  ),
);

/** A request of that visitor. */
function asked({ lines }: Visitor, more: readonly string[] = []): string {
  return stage.bare('GET', '/', [`Host: ${stage.host()}`, ...lines, ...more]);
}

async function ends(connection: RawConnection): Promise<string> {
  const since = performance.now();
  const { bytes } = await connection.rest();
  expect(performance.now() - since).toBeLessThan(SOON_MS);
  return bytes;
}

describe.each(CASES)('when $name ($where), what a $credential has opened', (row) => {
  const { credential, where, change, waiting, later, close } = row;

  it('is cut: a WebSocket told why, a stream broken off, a request that waits answered', async () => {
    const visitor = await VISITORS[credential]();
    const socket = await stage.socket(asked(visitor, UPGRADE_LINES));
    const stream = await stage.stream(asked(visitor));
    const request = await stage.begin(asked(visitor));
    const upgrade = await stage.begin(asked(visitor, UPGRADE_LINES));
    await change(visitor);
    const frame = Buffer.from(await ends(socket.client), 'latin1');
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, close]);
    expect(await ends(stream.client)).toBe('');
    for (const { client } of [request, upgrade]) {
      const answer = await stage.answerOn(client);
      expect([answer.status, answer.header('x-sandbox-error')]).toEqual([waiting[0], `proxy;${waiting[1]}`]);
    }
    for (const { upstream } of [socket, stream, request, upgrade]) await ends(upstream);
  });

  it('is no way in from the answer of this process on, or from the news of another', async () => {
    const visitor = await VISITORS[credential]();
    await stage.exchange(asked(visitor));
    if (where === 'here') await change(visitor);
    else await stage.told(() => change(visitor));
    if (later[credential] === 200) return void (await stage.exchange(asked(visitor)));
    // where the sandbox is gone, what is found first decides: that, or the end of the session
    const refusals = [later[credential], waiting[0] === 404 ? 404 : later[credential]];
    expect(refusals).toContain((await stage.ask(asked(visitor))).status);
    expect(refusals).toContain((await stage.ask(asked(visitor, UPGRADE_LINES))).status);
  });
});

describe('when the address of a host changes', () => {
  it.each(CREDENTIALS)('what a %s has opened stays where it is', async (credential) => {
    const visitor = await VISITORS[credential]();
    const socket = await stage.socket(asked(visitor, UPGRADE_LINES));
    await stage.told(() =>
      stage.started.db.query('UPDATE hosts SET address = $1 WHERE id = $2', ['127.0.0.1:1', stage.hostId]),
    );
    socket.client.send('still');
    expect(await socket.upstream.until('still')).toContain('still');
    expect((await stage.ask(asked(visitor))).status).toBe(502);
    await stage.told(() =>
      stage.started.db.query('UPDATE hosts SET address = $1 WHERE id = $2', [
        stage.agentAddress,
        stage.hostId,
      ]),
    );
  });
});

describe.each(['here', 'elsewhere'])("when an origin is taken off a port's CORS list (%s)", (where) => {
  const origin = 'Origin: https://app.example.com';
  const rest = ['https://other.example.com'];
  const change = (): Promise<unknown> =>
    where === 'here'
      ? stage.api('PUT', `${path()}/ports/3000`, { cors: rest })
      : stage.started.db.query('UPDATE sandbox_ports SET cors = $1 WHERE sandbox_id = $2', [
          JSON.stringify(rest),
          stage.sandbox.uuid,
        ]);

  it('what its pages have opened by a session is cut, and nothing else of that session', async () => {
    await stage.putPort(3000, { cors: ['https://app.example.com', ...rest] });
    const visitor = await VISITORS.session();
    const own = await stage.socket(asked(visitor, [`Origin: http://${stage.host()}`, ...UPGRADE_LINES]));
    const other = await stage.stream(asked(visitor, [`Origin: ${rest[0]}`]));
    const socket = await stage.socket(asked(visitor, [origin, ...UPGRADE_LINES]));
    const stream = await stage.stream(asked(visitor, [origin]));
    const request = await stage.begin(asked(visitor, [origin]));
    await change();
    const frame = Buffer.from(await ends(socket.client), 'latin1');
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1008]);
    expect(frame.toString('latin1', 4)).toBe('no longer allowed for this origin');
    expect(await ends(stream.client)).toBe('');
    const answer = await stage.answerOn(request.client);
    expect([answer.status, answer.header('x-sandbox-error')]).toEqual([403, 'proxy;cross_site_request']);
    for (const { upstream } of [socket, stream, request]) await ends(upstream);
    own.upstream.send('\x81\x02hi');
    expect(await own.client.bytes(4)).toBe('\x81\x02hi');
    other.upstream.send('3\r\ndef\r\n');
    await other.client.until('def');
    expect((await stage.ask(asked(visitor, [origin, ...UPGRADE_LINES]))).status).toBe(403);
  });
});
