import { always, answer } from '../harness/agent.js';
import { type Case, type Door, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { freePort } from '../harness/postgres.js';
import { valueOf, valuesOf } from '../harness/response-reader.js';
import { checkOwn, type Stage, WEBSOCKET_LINES, type World } from '../harness/world.js';

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
      return [s, s.bare('GET /e HTTP/1.1', [...(d === 'upgrade' ? WEBSOCKET_LINES : []), ...l])];
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

const table = ROWS.flatMap((row) =>
  DOORS.map((door): Case => ({
    id: `errors/${door}/${row.code}${row.fields ? `-${row.fields['status']}` : ''}`,
    rule: `${row.code} is ${row.status} with a JSON body, a request id, and nothing internal`,
    source: 'architecture 5',
    ...(row.variant ? { variant: row.variant } : {}),
    run: async (world) => {
      const [stage, wire] = await row.provoke(world, door, []);
      const { client, answer: got } = await stage.send(wire);
      checkOwn(got, row.status, row.code);
      check(valueOf(got.fields, 'content-type')?.startsWith('application/json'), 'Content-Type');
      const { error } = JSON.parse(got.body.toString()) as { error: Record<string, string> };
      same(
        [error['code'], typeof error['requestId'], typeof error['message']],
        [row.code, 'string', 'string'],
        'body',
      );
      check(error['message']?.startsWith(MESSAGES[row.code] ?? ''), `message ${error['message']}`);
      for (const [name, value] of Object.entries(row.fields ?? {})) same(error[name], value, name);
      if (row.status === 503) check(valueOf(got.fields, 'retry-after'), 'Retry-After');
      check(
        !/127\.0\.0\.1|localhost|\d+\.\d+\.\d+\.\d+|ECONN|at .*\(|node:|\/src\/|\.js\b|undici|ENOTFOUND/.test(
          got.raw + got.body.toString(),
        ),
        `something internal: ${got.body.toString()}`,
      );
      if (door === 'upgrade') await client.closed();
    },
  })),
);

const pages = ROWS.filter(
  (row) => row.code !== 'sandbox_not_running' || row.fields?.['status'] === 'paused',
).flatMap((row): Case[] => [
  {
    id: `errors/page-${row.code}`,
    rule: 'a browser’s navigation gets a self-contained HTML page, with the same status and code',
    source: 'architecture 5',
    ...(row.variant ? { variant: row.variant } : {}),
    run: async (world) => {
      const [stage, wire] = await row.provoke(world, 'http', [
        'Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
        'Sec-Fetch-Mode: navigate',
        'Sec-Fetch-Dest: document',
      ]);
      const got = (await stage.send(wire)).answer;
      checkOwn(got, row.status, row.code);
      check(
        valueOf(got.fields, 'content-type')?.startsWith('text/html'),
        `Content-Type ${valueOf(got.fields, 'content-type')}`,
      );
      check(/charset=utf-8/i.test(valueOf(got.fields, 'content-type') ?? ''), 'charset');
      const csp = valueOf(got.fields, 'content-security-policy') ?? '';
      check(
        /default-src 'none'/.test(csp) && !/script-src[^;]*unsafe/.test(csp) && /frame-ancestors/.test(csp),
        `CSP ${csp}`,
      );
      check(
        !/<script|src=|https?:\/\//i.test(got.body.toString().replaceAll('http://www.w3.org/2000/svg', '')),
        'page loads something',
      );
      check(!/127\.0\.0\.1|ECONN|node:/.test(got.body.toString()), 'something internal');
    },
  },
  {
    id: `errors/head-${row.code}`,
    rule: 'HEAD gets the error’s head and no body',
    source: 'RFC 9110 9.3.2',
    ...(row.variant ? { variant: row.variant } : {}),
    run: async (world) => {
      const [stage, wire] = await row.provoke(world, 'http', ['Connection: close']);
      const { client, answer: got } = await stage.send(wire.replace('GET ', 'HEAD '), 'HEAD');
      checkOwn(got, row.status, row.code);
      await client.closed();
      same(client.input.length, 0, 'bytes behind the head');
    },
  },
]);

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
const reflected = REFLECTED.flatMap(([name, wire]) =>
  [['Accept: text/html', 'Sec-Fetch-Mode: navigate'], ['Accept: application/json']].map((lines, i): Case => ({
    id: `errors/reflects-nothing-${name}-${i === 0 ? 'page' : 'json'}`,
    rule: 'own answers hold no input of the client unescaped, in body or header, and no CORS permission',
    source: 'CWE-79',
    run: async (world) => {
      const stage = await world.stage();
      const got = (await stage.send(wire(stage, [...lines]))).answer;
      check(got.status >= 400 && got.status < 500, `status ${got.status}`);
      check(
        !/<script>alert|onload=|evil\.test/.test(got.raw + (i === 0 ? got.body.toString() : '')),
        'reflected',
      );
      same(
        got.fields.filter(([n]) => n.toLowerCase().startsWith('access-control-')),
        [],
        'CORS headers',
      );
    },
  })),
);

const single: Case[] = [
  ...['Accept: */*', 'Accept: application/json', 'Accept: text/html, application/json', 'X-A: 1'].map(
    (line, i): Case => ({
      id: `errors/json-not-page-${i}`,
      rule: 'what is no navigation gets JSON',
      source: 'issue 5.6',
      run: async (world) => {
        const stage = await world.stage();
        const got = (await stage.send(stage.bare('GET / HTTP/1.1', [line, 'Sec-Fetch-Mode: cors']))).answer;
        check(valueOf(got.fields, 'content-type')?.startsWith('application/json'), 'Content-Type');
      },
    }),
  ),
  {
    id: 'errors/agent-error-passes',
    rule: 'an agent’s own error reaches the client as it is, and the next request asks the database anew',
    source: 'architecture 5, 7',
    run: async (world) => {
      const gone = await world.stage(
        always(answer(503, 'moved', ['X-Sandbox-Error: agent;sandbox_not_here'])),
      );
      const got = await gone.ask('GET', '/');
      same(
        [got.status, got.body.toString(), valuesOf(got.fields, 'x-sandbox-error')],
        [503, 'moved', ['agent;sandbox_not_here']],
        'answer',
      );
    },
  },
  {
    id: 'errors/truncated-not-answered-twice',
    rule: 'after the first byte there is no second answer',
    source: 'architecture 5',
    run: async (world) => {
      const stage = await world.stage(always('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', 'rst'));
      const client = await stage.client();
      client.send(stage.head('GET', '/'));
      const got = await client.answer();
      same([got.status, got.complete], [200, false], 'answer');
      same(client.bytes.split('HTTP/1.1').length, 2, 'status lines');
    },
  },
];

export const errors: readonly Case[] = [...table, ...pages, ...reflected, ...single];
