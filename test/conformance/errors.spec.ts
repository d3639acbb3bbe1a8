import { assert, expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { valueOf } from '../kit/answer.js';
import { type Door, DOORS, UPGRADE_LINES } from '../kit/requests.js';
import { freePort } from '../kit/postgres.js';
import { test } from './test.js';
import { type World, type Stage, checkOwn } from './world.js';

interface Row {
  readonly code: string;
  readonly status: number;
  /** A stage and the bytes that provoke the error through `door`. */
  readonly provoke: (world: World, door: Door, lines: readonly string[]) => Promise<[Stage, string]>;
  readonly variant?: 'clocks';
  readonly fields?: Record<string, string>;
}

const knock = (stage: Stage, door: Door, lines: readonly string[], target = '/e'): [Stage, string] => [
  stage,
  stage.knock(door, target, lines),
];

const ROWS: Row[] = [
  {
    code: 'invalid_port',
    status: 400,
    provoke: async (w, d, l) => {
      const s = await w.stage();
      return [s, s.knock(d, '/e', l).replace('3000-', '0-')];
    },
  },
  {
    code: 'invalid_sandbox_id',
    status: 400,
    provoke: async (w, d, l) => {
      const s = await w.stage();
      return [s, s.knock(d, '/e', l).replace(s.id, 'cl-1')];
    },
  },
  { code: 'invalid_path', status: 400, provoke: async (w, d, l) => knock(await w.stage(), d, l, '/..%2f') },
  {
    code: 'invalid_host',
    status: 400,
    provoke: async (w, d, l) => {
      const s = await w.stage();
      return [s, s.knock(d, '/e', l).replace('.test', '.test:x')];
    },
  },
  {
    code: 'unauthorized',
    status: 401,
    provoke: async (w, d, l) => {
      const s = await w.stage();
      return [s, s.bare('GET /e HTTP/1.1', [...(d === 'upgrade' ? UPGRADE_LINES : []), ...l])];
    },
  },
  {
    code: 'sandbox_not_found',
    status: 404,
    provoke: async (w, d, l) => {
      const s = await w.stage(undefined, { team: w.teams.b });
      return [s, s.knock(d, '/e', l).replace(s.key, w.teams.a.key)];
    },
  },
  ...['pending', 'starting', 'paused', 'hibernated', 'stopped', 'missing', 'error'].map((status): Row => ({
    code: 'sandbox_not_running',
    status: 409,
    fields: { status },
    provoke: async (w, d, l) => knock(await w.stage(undefined, { status }), d, l),
  })),
  {
    code: 'host_unavailable',
    status: 503,
    provoke: async (w, d, l) => knock(await w.stage(undefined, { address: '' }), d, l),
  },
  {
    code: 'upstream_unreachable',
    status: 502,
    provoke: async (w, d, l) =>
      knock(await w.stage(undefined, { address: `127.0.0.1:${await freePort()}` }), d, l),
  },
  {
    code: 'upstream_invalid_response',
    status: 502,
    provoke: async (w, d, l) => knock(await w.stage(always('SSH-2.0-x\r\n')), d, l),
  },
  {
    code: 'upstream_timeout',
    status: 504,
    variant: 'clocks',
    provoke: async (w, d, l) => knock(await w.stage(() => new Promise(() => {})), d, l),
  },
];

const MESSAGES: Record<string, string> = { sandbox_not_running: 'sandbox is not running (status: ' };

for (const row of ROWS)
  for (const door of DOORS)
    test(`errors/${door}/${row.code}${row.fields ? `-${row.fields['status']}` : ''} — ${row.code} is ${row.status} with a JSON body, a request id, and nothing internal [CWE-209]`, async (base) => {
      const world = await base.on(row.variant ?? 'default');
      const [stage, wire] = await row.provoke(world, door, []);
      const { client, answer: got } = await stage.send(wire);
      checkOwn(got, row.status, row.code);
      assert(valueOf(got.fields, 'content-type')?.startsWith('application/json'), 'Content-Type');
      const { error } = JSON.parse(got.body) as { error: Record<string, string> };
      expect([error['code'], typeof error['requestId'], typeof error['message']], 'body').toEqual([
        row.code,
        'string',
        'string',
      ]);
      assert(error['message']?.startsWith(MESSAGES[row.code] ?? ''), `message ${error['message']}`);
      for (const [name, value] of Object.entries(row.fields ?? {})) expect(error[name], name).toEqual(value);
      if (row.status === 503) assert(valueOf(got.fields, 'retry-after'), 'Retry-After');
      assert(
        !/127\.0\.0\.1|localhost|\d+\.\d+\.\d+\.\d+|ECONN|at .*\(|node:|\/src\/|\.js\b|undici|ENOTFOUND/.test(
          got.raw + got.body,
        ),
        `something internal: ${got.body}`,
      );
      if (door === 'upgrade') await client.closed();
    });

for (const row of ROWS.filter(
  (row) => row.code !== 'sandbox_not_running' || row.fields?.['status'] === 'paused',
)) {
  test(`errors/page-${row.code} — a browser’s navigation gets a self-contained HTML page, with the same status and code [RFC 9110 12.1]`, async (base) => {
    const world = await base.on(row.variant ?? 'default');
    const [stage, wire] = await row.provoke(world, 'HTTP', [
      'Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
    ]);
    const got = (await stage.send(wire)).answer;
    checkOwn(got, row.status, row.code);
    assert(
      valueOf(got.fields, 'content-type')?.startsWith('text/html'),
      `Content-Type ${valueOf(got.fields, 'content-type')}`,
    );
    assert(/charset=utf-8/i.test(valueOf(got.fields, 'content-type') ?? ''), 'charset');
    const csp = valueOf(got.fields, 'content-security-policy') ?? '';
    assert(
      /default-src 'none'/.test(csp) && !/script-src[^;]*unsafe/.test(csp) && /frame-ancestors/.test(csp),
      `CSP ${csp}`,
    );
    assert(
      !/<script|src=|https?:\/\//i.test(got.body.replaceAll('http://www.w3.org/2000/svg', '')),
      'page loads something',
    );
    assert(!/127\.0\.0\.1|ECONN|node:/.test(got.body), 'something internal');
  });

  test(`errors/head-${row.code} — HEAD gets the error’s head and no body [RFC 9110 9.3.2]`, async (base) => {
    const world = await base.on(row.variant ?? 'default');
    const [stage, wire] = await row.provoke(world, 'HTTP', ['Connection: close']);
    const { client, answer: got } = await stage.send(wire.replace('GET ', 'HEAD '), 'HEAD');
    checkOwn(got, row.status, row.code);
    await client.closed();
    expect(client.input.length, 'bytes behind the head').toEqual(0);
  });
}

const HTML = '"><script>alert(1)</script>';
const REFLECTED: [name: string, wire: (stage: Stage, lines: string[]) => string][] = [
  ['path', (s, l) => s.head('GET', `/..%2f${HTML}`, l)],
  ['host', (s, l) => s.head('GET', '/', l).replace(s.host, `${s.host}:${HTML}`)],
  ['host-domain', (s, l) => s.bare('GET / HTTP/1.1', l).replace('sandbox.test', `${HTML}.test`)],
  ['id', (s, l) => s.head('GET', '/nothing', l).replace(s.id, `cl-1'"onload=`)],
  ['key', (s, l) => s.bare('GET / HTTP/1.1', [...l, `X-API-Key: ${HTML}`])],
  ['request-id', (s, l) => s.bare('GET / HTTP/1.1', [...l, `X-Request-Id: ${HTML}`])],
  ['forwarded-host', (s, l) => s.bare('GET / HTTP/1.1', [...l, `X-Forwarded-Host: ${HTML}`])],
  [
    'origin',
    (s, l) =>
      s.bare('GET / HTTP/1.1', [
        ...l,
        'Origin: https://evil.test',
        `Referer: ${HTML}`,
        `User-Agent: ${HTML}`,
      ]),
  ],
];

for (const [name, wire] of REFLECTED)
  for (const [i, lines] of [
    ['Accept: text/html', 'Sec-Fetch-Mode: navigate'],
    ['Accept: application/json'],
  ].entries())
    test(`errors/reflects-nothing-${name}-${i === 0 ? 'page' : 'json'} — own answers hold no input of the client unescaped, in body or header, and no CORS permission [CWE-79]`, async (world) => {
      const stage = await world.stage();
      const got = (await stage.send(wire(stage, [...lines]))).answer;
      assert(got.status >= 400 && got.status < 500, `status ${got.status}`);
      assert(!/<script>alert|onload=|evil\.test/.test(got.raw + (i === 0 ? got.body : '')), 'reflected');
      expect(
        got.fields.filter(([n]) => n.toLowerCase().startsWith('access-control-')),
        'CORS headers',
      ).toEqual([]);
    });

for (const [i, line] of [
  'Accept: */*',
  'Accept: application/json',
  'Accept: text/html, application/json',
  'X-A: 1',
].entries())
  test(`errors/json-not-page-${i} — what is no navigation gets JSON [RFC 9110 12.1]`, async (world) => {
    const stage = await world.stage();
    const got = (await stage.send(stage.bare('GET / HTTP/1.1', [line, 'Sec-Fetch-Mode: cors']))).answer;
    assert(valueOf(got.fields, 'content-type')?.startsWith('application/json'), 'Content-Type');
  });

test('errors/agent-error-passes — an agent’s own error reaches the client as it is, and the next request asks the database anew [RFC 9110 15.6]', async (world) => {
  const gone = await world.stage(always(answer(503, 'moved', ['X-Sandbox-Error: agent;sandbox_not_here'])));
  const got = await gone.ask('GET', '/');
  expect([got.status, got.body, got.all('x-sandbox-error')], 'answer').toEqual([
    503,
    'moved',
    ['agent;sandbox_not_here'],
  ]);
});

test('errors/truncated-not-answered-twice — after the first byte there is no second answer [RFC 9112 8]', async (world) => {
  const stage = await world.stage(always('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', 'rst'));
  const client = await stage.client();
  client.send(stage.head('GET', '/'));
  const got = await client.answer();
  expect([got.status, got.complete], 'answer').toEqual([200, false]);
  expect(client.transcript.split('HTTP/1.1').length, 'status lines').toEqual(2);
});
