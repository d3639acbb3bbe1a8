import { randomUUID } from 'node:crypto';
import { assert, expect } from 'vitest';
import type { Answer } from '../kit/answer.js';
import { type Door, DOORS, UPGRADE_LINES } from '../kit/requests.js';
import { pause, SOON_MS, until } from '../kit/wait.js';
import { sandboxId } from '../kit/platform-rows.js';
import { alone, test } from './test.js';
import { type World, type Stage, checkOwn } from './world.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'];
const SPELLINGS = ['X-API-Key', 'x-api-key', 'X-API-KEY', 'x-ApI-kEy'];

for (const method of METHODS)
  for (const name of SPELLINGS)
    test(`credentials/${method}-${name} — the key admits in any letter case and never goes on [CWE-522]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(
        stage.bare(`${method} /k HTTP/1.1`, [`${name}: ${stage.key}`]),
        method,
      );
      expect(answer.status, 'status').toEqual(200);
      expect((await stage.agent.request()).values('x-api-key'), 'X-API-Key upstream').toEqual([]);
    });

/** Header lines with the key in them; the invariant over all cases looks for it upstream. */
const PLACES: [name: string, lines: (key: string) => string[], refusal?: number][] = [
  ['doubled', (k) => [`X-API-Key: ${k}`, `x-api-key: ${k}`]],
  ['tripled', (k) => [`X-API-Key: ${k}`, `X-API-KEY: ${k}`, `x-api-key: ${k}`]],
  ['list', (k) => [`X-API-Key: ${k}, ${k}`], 401],
  ['second-app', (k) => [`X-API-Key: ${k}`, 'X-API-Key: app-own']],
  ['first-app', (k) => ['X-API-Key: app-own', `X-API-Key: ${k}`]],
  ['spaces', (k) => [`X-API-Key:   ${k}   `]],
  ['tabs', (k) => [`X-API-Key:\t${k}\t`]],
  ['underscore', (k) => [`X-API-Key: ${k}`, `X_API_Key: ${k}`]],
  ['underscore-mixed', (k) => [`X-API-Key: ${k}`, `X-API_Key: ${k}`]],
  ['named-in-connection', (k) => ['Connection: X-API-Key', `X-API-Key: ${k}`]],
  ['upper-case-value', (k) => [`X-API-Key: ${k}`, `X-API-Key: ${k.toUpperCase()}`]],
  ['other-header', (k) => [`X-API-Key: ${k}`, `X-Copy: ${k}`]],
  ['in-authorization', (k) => [`X-API-Key: ${k}`, `Authorization: Bearer ${k}`]],
  ['as-a-name', (k) => [`X-API-Key: ${k}`, `${k}: 1`]],
  ['in-location', (k) => [`X-API-Key: ${k}`, `Location: ${k}`]],
  ['in-set-cookie', (k) => [`X-API-Key: ${k}`, `Set-Cookie: a=${k}`]],
  ['in-expect', (k) => [`X-API-Key: ${k}`, `Expect: ${k}`]],
  ['in-te', (k) => [`X-API-Key: ${k}`, `TE: trailers, ${k}`]],
  ['in-upgrade', (k) => [`X-API-Key: ${k}`, `Connection: Upgrade`, `Upgrade: ${k}`], 400],
  ['in-origin', (k) => [`X-API-Key: ${k}`, `Origin: https://${k}.test`]],
  ['in-cookie', (k) => [`X-API-Key: ${k}`, `Cookie: a=1; k=${k}`]],
];

for (const [name, lines, refusal] of PLACES)
  for (const door of DOORS)
    test(`credentials/${door}/never-upstream-${name} — the key goes to no sandbox, wherever in the head it stands [CWE-522]`, async (world) => {
      const stage = await world.stage();
      const own = door === 'upgrade' ? UPGRADE_LINES : [];
      const { answer } = await stage.send(stage.bare('GET /k HTTP/1.1', [...own, ...lines(stage.key)]));
      expect(answer.status, 'status').toEqual(refusal ?? (door === 'HTTP' ? 200 : 101));
      for (const received of stage.agent.received)
        assert(!received.head.raw.toLowerCase().includes(stage.key), 'the key went on');
    });

const WRONG: [name: string, lines: (world: World) => string[]][] = [
  ['none', () => []],
  ['empty', () => ['X-API-Key:']],
  ['unknown', () => ['X-API-Key: wrn_00000000000000000000000000000000']],
  ['short', () => ['X-API-Key: wrn_1']],
  ['garbage', () => ['X-API-Key: \xff\x80']],
  ['huge', () => [`X-API-Key: ${'w'.repeat(9_000)}`]],
  ['cut', (w) => [`X-API-Key: ${w.teams.a.key.slice(0, -1)}`]],
  ['longer', (w) => [`X-API-Key: ${w.teams.a.key}0`]],
  ['upper', (w) => [`X-API-Key: ${w.teams.a.key.toUpperCase()}`]],
  ['quoted', (w) => [`X-API-Key: "${w.teams.a.key}"`]],
  ['bearer', (w) => [`Authorization: Bearer ${w.teams.a.key}`]],
  ['cookie', (w) => [`Cookie: X-API-Key=${w.teams.a.key}`]],
  ['admin', () => ['Authorization: Bearer conformance-admin-token-0123456789abcdef']],
  ['sql', () => ["X-API-Key: ' OR '1'='1"]],
];

for (const [name, lines] of WRONG)
  for (const door of DOORS)
    test(`credentials/${door}/unauthorized-${name} — no credential or an unknown one: 401, and nobody is called [RFC 9110 15.5.2]`, async (world) => {
      const stage = await world.stage();
      const own = door === 'upgrade' ? UPGRADE_LINES : [];
      const { answer } = await stage.send(stage.bare('GET /k HTTP/1.1', [...own, ...lines(world)]));
      checkOwn(answer, 401, 'unauthorized');
      expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
    });

/** The parts of an answer that must not differ; the request id is its own each time. */
function comparable(answer: Answer): unknown {
  const id = (JSON.parse(answer.body) as { error: { requestId: string } }).error.requestId;
  const plain = (text: string): string => text.replaceAll(id, '{id}');
  return [
    answer.status,
    answer.reason,
    plain(answer.body),
    answer.fields.filter(([n]) => n.toLowerCase() !== 'date').map(([n, v]) => [n, plain(v)]),
  ];
}

async function foreignAndUnknown(world: World): Promise<{ foreign: Stage; heads: (door: Door) => string[] }> {
  const foreign = await world.stage(undefined, { team: world.teams.b });
  const mine = `X-API-Key: ${world.teams.a.key}`;
  const unknownHost = foreign.host.replace(foreign.id, sandboxId(randomUUID()));
  return {
    foreign,
    heads: (door) => {
      const head = foreign.bare('GET /x HTTP/1.1', [...(door === 'upgrade' ? UPGRADE_LINES : []), mine]);
      return [head, head.replace(foreign.host, unknownHost)];
    },
  };
}

/** What a quarter of them are below: other work of the machine makes some longer, and none shorter. */
function lowerQuartile(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 4)] as number;
}

for (const door of DOORS)
  test(`credentials/${door}/foreign-like-unknown — another team’s sandbox and one that does not exist answer alike, in every header and byte [CWE-204]`, async (world) => {
    const { foreign, heads } = await foreignAndUnknown(world);
    const answers: Answer[] = [];
    for (let round = 0; round < 2; round++)
      for (const head of heads(door)) answers.push((await foreign.send(head)).answer);
    for (const answer of answers) checkOwn(answer, 404, 'sandbox_not_found');
    for (const answer of answers)
      expect(comparable(answer), 'answers').toEqual(comparable(answers[0] as Answer));
    expect(foreign.agent.connections.length, 'connections upstream').toEqual(0);
  });

alone(
  'credentials/foreign-like-unknown-in-time — another team’s sandbox and one that does not exist take the same time [CWE-208]',
  async (world) => {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < 40; round++) {
      const { foreign, heads } = await foreignAndUnknown(world);
      const pair = heads('HTTP');
      for (const which of round % 2 ? [0, 1] : [1, 0]) {
        const begun = performance.now();
        const { client } = await foreign.send(pair[which] as string);
        times[which]?.push(performance.now() - begun);
        client.close();
      }
      foreign.agent.close();
    }
    const apart = Math.abs(lowerQuartile(times[0]) - lowerQuartile(times[1]));
    assert(apart < 3, `lower quartiles are ${apart.toFixed(2)} ms apart`);
  },
);

test('credentials/paused-foreign — the status of another team’s sandbox is not told [CWE-204]', async (world) => {
  const stage = await world.stage(undefined, { team: world.teams.b, status: 'paused' });
  const { answer } = await stage.send(stage.bare('GET / HTTP/1.1', [`X-API-Key: ${world.teams.a.key}`]));
  checkOwn(answer, 404, 'sandbox_not_found');
});

for (const line of ['Content-Length: 100000000', 'Transfer-Encoding: chunked'] as const)
  test(`credentials/large-body-unread-${line.startsWith('C') ? 'length' : 'chunked'} — 401 comes before the body and the body is not read [RFC 9110 10.1.1]`, async (world) => {
    const stage = await world.stage();
    const client = await stage.client();
    client.send(stage.bare('POST /k HTTP/1.1', [line]));
    const answer = await client.answer('POST');
    checkOwn(answer, 401, 'unauthorized');
    const piece = Buffer.alloc(1_048_576, 'q');
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')]);
    for (let i = 0; i < 40 && client.ending === null; i++) {
      client.send(line.startsWith('C') ? piece : chunk);
      await pause(5);
    }
    await until(() => client.ending !== null, 'the connection is closed');
    assert(client.socket.bytesWritten - client.socket.writableLength < 25_000_000, 'the body was read');
  });

test('credentials/order-of-checks — port range, credential, id format, sandbox, status, address: the first that fails answers [CWE-204]', async (world) => {
  const stage = await world.stage(undefined, { status: 'paused', address: '' });
  const ask = async (host: string, key: string): Promise<string | undefined> =>
    /"code":"(\w+)"/.exec(
      (await stage.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${key}\r\n\r\n`)).answer.body,
    )?.[1];
  expect(await ask(stage.host.replace('3000-', '0-').replace(stage.id, 'cl-1'), 'x'), 'port first').toEqual(
    'invalid_port',
  );
  expect(await ask(stage.host.replace(stage.id, 'cl-1'), 'x'), 'then the credential').toEqual('unauthorized');
  expect(await ask(stage.host.replace(stage.id, 'cl-1'), stage.key), 'then the id').toEqual(
    'invalid_sandbox_id',
  );
  expect(await ask(stage.host, stage.key), 'then the status').toEqual('sandbox_not_running');
});

for (const door of DOORS)
  test(`credentials/${door}/deleted-key — a deleted key soon admits nobody [CWE-613]`, async (world) => {
    const team = await world.platform.rows.team();
    const stage = await world.stage(undefined, { team });
    const knock = async (): Promise<number> => (await stage.send(stage.knock(door, '/'))).answer.status;
    expect(await knock(), 'before').toEqual(door === 'HTTP' ? 200 : 101);
    await world.platform.query('DELETE FROM team_api_keys WHERE team_id = $1', [team.id]);
    await until(async () => (await knock()) === 401, 'nobody is admitted', SOON_MS);
  });

alone(
  'credentials/revoked-within-250-ms — measured alone: what a key has opened ends within 250 ms of its deletion [CWE-613]',
  async (world) => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const team = await world.platform.rows.team();
      const stage = await world.stage(undefined, { team });
      const { client, answer } = await stage.send(stage.upgrade('/ws'));
      expect(answer.status, 'status').toEqual(101);
      const begun = performance.now();
      await world.platform.query('DELETE FROM team_api_keys WHERE team_id = $1', [team.id]);
      await client.closed();
      times.push(client.endedAt - begun);
    }
    expect(times.toSorted((a, b) => a - b)[2], 'ms, median of five').toBeLessThan(250);
  },
);
