import { Agent, request } from 'node:http';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';

/** A few seconds' worth; `API_FUZZ_RUNS` says more. */
const RUNS = Number(process.env['API_FUZZ_RUNS'] ?? 400);

/** Every route, and a body that it takes. */
const ROUTES: readonly (readonly [method: string, path: string, body?: Readonly<Record<string, unknown>>])[] =
  [
    ['POST', '/v1/teams', { name: 'n', slug: 's' }],
    ['POST', '/v1/teams/:id/api-keys', { name: 'n' }],
    ['POST', '/v1/hosts', { type: 't', address: 'a:1', status: 'online', metadata: {} }],
    ['GET', '/v1/hosts'],
    ['GET', '/v1/hosts/:id'],
    ['PATCH', '/v1/hosts/:id', { address: 'a:1', status: 'online' }],
    ['POST', '/v1/hosts/:id/heartbeat'],
    ['DELETE', '/v1/hosts/:id'],
    ['POST', '/v1/api-keys', { name: 'n' }],
    ['GET', '/v1/api-keys'],
    ['DELETE', '/v1/api-keys/:id'],
    ['POST', '/v1/sandboxes', { template: 't', hostId: null, status: 'running', metadata: { a: [1] } }],
    ['GET', '/v1/sandboxes'],
    ['GET', '/v1/sandboxes/:id'],
    ['PATCH', '/v1/sandboxes/:id', { status: 'running', hostId: null }],
    ['DELETE', '/v1/sandboxes/:id'],
    [
      'POST',
      '/v1/sandboxes/:id/links',
      {
        port: 80,
        ttlSeconds: 60,
        label: 'l',
        once: true,
        embed: true,
        allowedOrigins: ['https://a.example'],
      },
    ],
    ['GET', '/v1/sandboxes/:id/links'],
    ['DELETE', '/v1/sandboxes/:id/links/:linkId'],
    ['GET', '/v1/sandboxes/:id/ports'],
    ['PUT', '/v1/sandboxes/:id/ports/:port', { visibility: 'public', cors: 'app' }],
    ['DELETE', '/v1/sandboxes/:id/ports/:port'],
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/'],
    ['GET', '/console.css'],
    ['GET', '/console.js'],
  ];

interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

let started: StartedApp;
let team: Awaited<ReturnType<typeof newTeam>>;
/** Public ids of things that are there, by the route that lists or makes them. */
let known: Readonly<Record<string, string>>;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  started = await startApp();
  team = await newTeam(started);
  const { body } = await team.call('POST', '/v1/sandboxes', { template: 't' });
  known = { sandboxes: body.id, teams: team.id };
});
afterAll(async () => {
  agent.destroy();
  await started.close();
});

// ── what is sent ──

/** Without halves of surrogate pairs, which have no form in a URL. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\ufffd');

const ODD_TEXTS = [
  '',
  '\0',
  '\ud800',
  'a\udfff',
  '__proto__',
  'constructor',
  '../x',
  '%00',
  "'; --",
  '0x10',
  'null',
];
const ODD_NUMBERS = ['-1', '0', '65536', '99999999999', '9'.repeat(400), '1e309', '-0', 'NaN', '1.5', '２'];

const text = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string(),
);
const json: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  text,
  fc.array(text, { maxLength: 60 }),
  fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 10 }),
  fc.constantFrom(1e308, -0, 2 ** 53, 65_536, 0.1),
  fc.nat(40_000).map((length) => 'x'.repeat(length)),
);

/** A body that the route takes, with some of its members replaced or added: as text, in which the last one counts. */
function mutated(body: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
  const name = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...Object.keys(body), 'metadata') },
    { weight: 1, arbitrary: fc.oneof(fc.constantFrom('id', 'teamId'), text) },
  );
  const change = fc.tuple(
    name,
    fc.oneof(
      json.map((value) => JSON.stringify(value)),
      nested,
    ),
  );
  return fc
    .array(change, { maxLength: 2 })
    .map((changes) =>
      [...Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)] as const), ...changes]
        .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
        .join(','),
    )
    .map((members) => `{${members}}`);
}

/** Some thousands of levels, and some that are not closed. */
const nested = fc
  .tuple(fc.constantFrom(['[', ']'], ['{"a":', '}'], ['[', '']), fc.nat(8_000))
  .map(([[open = '', close = ''], depth]) => `${open.repeat(depth)}1${close.repeat(depth)}`);

const anyBody = (body: Readonly<Record<string, unknown>> = {}): fc.Arbitrary<string | null> =>
  fc.oneof(
    { weight: 8, arbitrary: mutated(body) },
    { weight: 1, arbitrary: json.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.oneof(nested, fc.string({ unit: 'binary' }), fc.constant(null)) },
  );

const segment = (name: string): fc.Arbitrary<string> => {
  const digits = fc.stringMatching(/^[0-9a-z]{25}$/);
  const kinds = fc.constantFrom('cl', 'team', 'key', 'host', 'link', 'session', 'port');
  const ids = fc.tuple(kinds, digits).map(([kind, body]) => `${kind}-${body}`);
  const knownIds = fc.constantFrom('sandboxes', 'teams').map((kind) => known[kind] ?? '');
  const numbers = fc.oneof(
    fc.constantFrom(...ODD_NUMBERS),
    fc.integer().map(String),
    fc.nat(70_000).map(String),
  );
  return fc
    .oneof(
      { weight: 4, arbitrary: name === 'port' ? numbers : knownIds },
      { weight: 2, arbitrary: ids },
      { weight: 1, arbitrary: numbers },
      { weight: 1, arbitrary: text },
    )
    .map((it) => encodeURIComponent(wellFormed(it)));
};

const query = fc
  .array(
    fc.tuple(
      fc.constantFrom('limit', 'after', 'limit[]', 'after[a]', '__proto__', 'page'),
      fc.oneof(text, fc.constantFrom(...ODD_NUMBERS)),
    ),
    {
      maxLength: 3,
    },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value))}`).join('&'));

/** Mostly what a body is read and a route entered by. */
const headers = fc.record({
  type: fc.oneof(
    { weight: 9, arbitrary: fc.constant('application/json') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'application/json; charset=utf-16',
        'application/x-www-form-urlencoded',
        'text/plain',
        '',
      ),
    },
  ),
  encoding: fc.oneof(
    { weight: 15, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom('gzip', 'identity', 'x') },
  ),
  who: fc.oneof(
    { weight: 15, arbitrary: fc.constant('both') },
    { weight: 1, arbitrary: fc.constantFrom('team', 'operator', 'nobody') },
  ),
});

const attempt: fc.Arbitrary<Attempt> = fc.constantFrom(...ROUTES).chain(([method, template, body]) => {
  const names = template.match(/:\w+/g) ?? [];
  return fc
    .record({
      method: fc.oneof(
        { weight: 9, arbitrary: fc.constant(method) },
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
      ),
      segments: fc.tuple(...names.map((name) => segment(name.slice(1)))),
      query,
      headers,
      body: anyBody(body),
    })
    .map((parts): Attempt => {
      const path = names.reduce(
        (path, name, index) => path.replace(name, parts.segments[index] ?? ''),
        template,
      );
      return {
        method: parts.method,
        path: parts.query === '' ? path : `${path}?${parts.query}`,
        headers: headersOf(parts.headers),
        body: parts.method === 'GET' || parts.method === 'HEAD' ? null : parts.body,
      };
    });
});

function headersOf({
  type,
  encoding,
  who,
}: {
  type: string;
  encoding: string;
  who: string;
}): Record<string, string> {
  return {
    ...(type && { 'content-type': type }),
    ...(encoding && { 'content-encoding': encoding }),
    ...((who === 'team' || who === 'both') && { 'x-api-key': team.key }),
    ...((who === 'operator' || who === 'both') && { authorization: `Bearer ${started.adminToken}` }),
  };
}

// ── what comes back ──

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function send({ method, path, headers, body }: Attempt): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: started.port, agent, method, path };
    // Node frames the bodies of some methods only where it is told their length
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request({ ...options, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

describe('the API', () => {
  it('is known here with all its routes', () => {
    interface Layer {
      readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
    }
    const { router } = started.app.getHttpAdapter().getInstance() as unknown as {
      router: { stack: readonly Layer[] };
    };
    const routes = router.stack.flatMap(({ route }) =>
      route === undefined
        ? []
        : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
    );
    expect(ROUTES.map(([method, path]) => `${method} ${path}`).toSorted()).toEqual(routes.toSorted());
  });

  it('answers whatever it is sent, and never with 5xx', async () => {
    await fc.assert(
      fc.asyncProperty(attempt, async (tried) => {
        const { status, headers, text } = await send(tried);
        expect(status).toBeLessThan(500);
        expect(headers['x-content-type-options']).toBe('nosniff');
        expect(headers['x-request-id']).toEqual(expect.any(String));
        if (status < 400 || tried.method === 'HEAD') return true;
        const { error } = JSON.parse(text) as { error: Record<string, unknown> };
        return typeof error['code'] === 'string' && error['requestId'] === headers['x-request-id'];
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});
