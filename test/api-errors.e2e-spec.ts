import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { LOGGER } from '../src/program/logging/logger.js';
import { TeamsService } from '../src/platform/teams/teams.service.js';
import { asOperator, type Call, caller, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';

describe('errors of the API', () => {
  let started: StartedApp;
  let operator: Call;
  let team: Awaited<ReturnType<typeof newTeam>>;
  const lines: string[] = [];

  beforeAll(async () => {
    started = await startApp({
      override: (builder) =>
        builder
          .overrideProvider(LOGGER)
          .useValue(pino({}, { write: (line: string) => void lines.push(line) })),
    });
    operator = asOperator(started);
    team = await newTeam(started);
  });
  afterAll(() => started.close());

  it('have one shape, with the request id of the header', async () => {
    const { status, headers, body } = await caller(started.url)('GET', '/nowhere?secret=1');
    expect(status).toBe(404);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toEqual({
      error: { code: 'not_found', message: 'route not found', requestId: headers.get('x-request-id') },
    });
  });

  it.each([
    ['abc-123', true],
    ['x'.repeat(65), false],
    ['a b', false],
  ])('take over the request id %j: %s', async (id, isTaken) => {
    const { headers } = await caller(started.url, { 'x-request-id': id })('GET', '/healthz');
    expect(headers.get('x-request-id') === id).toBe(isTaken);
  });

  it.each(['/v1/api-keys', '/v1/sandboxes'])('ask for a key on %s', async (path) => {
    const none = await caller(started.url)('GET', path);
    expect([none.status, none.body.error]).toEqual([
      401,
      expect.objectContaining({ code: 'unauthorized', message: 'X-API-Key header required' }),
    ]);
    for (const key of ['', 'nonsense', `wrn_${'0'.repeat(32)}`, `${team.key}, ${team.key}`]) {
      const wrong = await caller(started.url, { 'x-api-key': key })('GET', path);
      expect([wrong.status, wrong.body.error.message]).toEqual([401, 'invalid API key']);
    }
    const operatorToken = await operator('GET', path);
    expect(operatorToken.status).toBe(401);
  });

  it.each([
    ['POST', '/v1/teams'],
    ['POST', '/v1/teams/team-x/api-keys'],
    ['POST', '/v1/hosts'],
    ['GET', '/v1/hosts'],
    ['GET', '/v1/hosts/host-x'],
    ['PATCH', '/v1/hosts/host-x'],
    ['POST', '/v1/hosts/host-x/heartbeat'],
    ['DELETE', '/v1/hosts/host-x'],
  ])('ask for the operator on %s %s', async (method, path) => {
    const tokens = [
      '',
      'Bearer',
      'Bearer wrong',
      `Basic ${started.adminToken}`,
      `Bearer ${started.adminToken}x`,
    ];
    for (const authorization of tokens) {
      const { status, body } = await caller(started.url, { authorization })(method, path);
      expect([status, body.error.code]).toEqual([401, 'unauthorized']);
    }
    expect((await team.call(method, path)).status).toBe(401);
  });

  it('name every problem of a body', async () => {
    const { status, body } = await team.call('POST', '/v1/sandboxes', {
      status: 'flying',
      hostId: 'host-1',
      metadata: [],
      teamId: 'mine',
    });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'validation_failed' });
    expect(body.error.problems.map((problem) => problem.split(' ').slice(0, 2).join(' '))).toEqual(
      expect.arrayContaining([
        'property teamId',
        'template must',
        'hostId must',
        'status must',
        'metadata must',
      ]),
    );
  });

  it.each<[string, unknown]>([
    ['a list', []],
    ['a list of bodies', [{ name: 'x' }]],
    ['nothing', undefined],
    ['a wrong type', { name: { $ne: 1 } }],
    ['an empty name', { name: '' }],
    ['a bad slug', { name: 'x', slug: '-x' }],
  ])('refuse %s as a body', async (_name, body) => {
    const answer = await operator('POST', '/v1/teams', body);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'validation_failed']);
  });

  it('ignore an own __proto__ in a body', async () => {
    const body: unknown = JSON.parse('{"name":"x","__proto__":{"slug":"planted"}}');
    const answer = await operator('POST', '/v1/teams', body);
    expect([answer.status, answer.body['slug']]).toEqual([201, expect.stringMatching(/^x-/)]);
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'after=cl-1', 'after=a&after=b', 'page=2', 'limit[a]=1'])(
    'refuse the query %s',
    async (query) => {
      const { status, body } = await team.call('GET', `/v1/sandboxes?${query}`);
      expect([status, body.error.code]).toEqual([400, 'validation_failed']);
    },
  );

  it.each([
    ['malformed JSON', '{"name":', {}, 400, 'invalid_request'],
    [
      'an unknown charset',
      '{}',
      { 'content-type': 'application/json; charset=klingon' },
      400,
      'invalid_request',
    ],
    ['an unknown encoding', '{}', { 'content-encoding': 'zip' }, 400, 'invalid_request'],
    ['a large body', JSON.stringify({ name: 'x'.repeat(200_000) }), {}, 413, 'payload_too_large'],
    ['U+0000 in text', '{"name":"a\\u0000b"}', {}, 400, 'invalid_request'],
    ['half of a surrogate pair', '{"name":"\\ud800"}', {}, 400, 'invalid_request'],
    [
      'JSON of 5,000 levels',
      `{"name":"n","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      {},
      400,
      'invalid_request',
    ],
  ] as const)('answer %s', async (_name, body, headers, status, code) => {
    const answer = await fetch(`${started.url}/v1/teams`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${started.adminToken}`,
        'content-type': 'application/json',
        ...headers,
      },
      body,
    });
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { error: expect.objectContaining({ code, requestId: expect.any(String) }) },
    ]);
  });

  it.each(['"\\ud800"', '"\\u0000"', `${'['.repeat(33)}${']'.repeat(33)}`])(
    'refuse metadata that cannot be stored: %s',
    async (value) => {
      for (const metadata of [`{"a":${value}}`, `{"a":{"b":[${value}]}}`]) {
        const { status, body } = await team.call('POST', '/v1/sandboxes', {
          template: 't',
          metadata: JSON.parse(metadata) as unknown,
        });
        expect([status, body.error.code]).toEqual([400, 'invalid_request']);
      }
    },
  );

  it.each(['0', '65536', '99999999999', '-1', '1.5', 'x', '%20'])('refuse the port %s', async (port) => {
    const { body } = await team.call('POST', '/v1/sandboxes', { template: 't' });
    for (const [method, settings] of [['PUT', {}], ['DELETE']] as const) {
      const answer = await team.call(method, `/v1/sandboxes/${body.id}/ports/${port}`, settings);
      expect([answer.status, answer.body.error.problems]).toEqual([400, ['port must be from 1 to 65535']]);
    }
  });

  it('answer a path that does not decode', async () => {
    const status = await new Promise((resolve) => {
      const { hostname, port } = new URL(started.url);
      const headers = { authorization: `Bearer ${started.adminToken}` };
      request({ hostname, port, path: '/v1/hosts/%ff', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(status).toBe(400);
  });

  it('say nothing of a defect, and log it', async () => {
    const teams = started.app.get(TeamsService);
    teams.create = () => Promise.reject(new TypeError('the secret of 10.0.0.1'));
    const { status, body } = await operator('POST', '/v1/teams', { name: 'x' });
    Reflect.deleteProperty(teams, 'create');
    expect(status).toBe(500);
    expect(body.error).toMatchObject({ code: 'internal_error', message: 'internal error' });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(lines.join('')).toContain('the secret of 10.0.0.1');
    expect(lines.join('')).not.toContain(started.adminToken);
  });
});
