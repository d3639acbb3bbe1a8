import { type Case, DOORS } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import { newTeam, sandboxId } from '../harness/platform.js';
import type { Answer } from '../harness/response-reader.js';
import { checkOwn, type Stage, WEBSOCKET_LINES, type World } from '../harness/world.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'];
const SPELLINGS = ['X-API-Key', 'x-api-key', 'X-API-KEY', 'x-ApI-kEy'];

const everyMethod = METHODS.flatMap((method) =>
  SPELLINGS.map((name): Case => ({
    id: `credentials/${method}-${name}`,
    rule: 'the key admits in any letter case and never goes on',
    source: 'issue 3, Credentials',
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(
        stage.bare(`${method} /k HTTP/1.1`, [`${name}: ${stage.key}`]),
        method,
      );
      same(answer.status, 200, 'status');
      same((await stage.agent.request()).values('x-api-key'), [], 'X-API-Key upstream');
    },
  })),
);

/** Header lines with the key in them; the invariant over all cases looks for it upstream. */
const PLACES: [name: string, lines: (key: string) => string[], mayBeRefused: boolean][] = [
  ['doubled', (k) => [`X-API-Key: ${k}`, `x-api-key: ${k}`], true],
  ['tripled', (k) => [`X-API-Key: ${k}`, `X-API-KEY: ${k}`, `x-api-key: ${k}`], true],
  ['list', (k) => [`X-API-Key: ${k}, ${k}`], true],
  ['second-app', (k) => [`X-API-Key: ${k}`, 'X-API-Key: app-own'], true],
  ['first-app', (k) => ['X-API-Key: app-own', `X-API-Key: ${k}`], true],
  ['spaces', (k) => [`X-API-Key:   ${k}   `], false],
  ['tabs', (k) => [`X-API-Key:\t${k}\t`], false],
  ['underscore', (k) => [`X-API-Key: ${k}`, `X_API_Key: ${k}`], true],
  ['underscore-mixed', (k) => [`X-API-Key: ${k}`, `X-API_Key: ${k}`], true],
  ['named-in-connection', (k) => ['Connection: X-API-Key', `X-API-Key: ${k}`], false],
  ['upper-case-value', (k) => [`X-API-Key: ${k}`, `X-API-Key: ${k.toUpperCase()}`], true],
  ['other-header', (k) => [`X-API-Key: ${k}`, `X-Copy: ${k}`], false],
  ['in-authorization', (k) => [`X-API-Key: ${k}`, `Authorization: Bearer ${k}`], false],
  ['as-a-name', (k) => [`X-API-Key: ${k}`, `${k}: 1`], true],
  ['in-location', (k) => [`X-API-Key: ${k}`, `Location: ${k}`], false],
  ['in-set-cookie', (k) => [`X-API-Key: ${k}`, `Set-Cookie: a=${k}`], false],
  ['in-expect', (k) => [`X-API-Key: ${k}`, `Expect: ${k}`], true],
  ['in-te', (k) => [`X-API-Key: ${k}`, `TE: trailers, ${k}`], false],
  ['in-upgrade', (k) => [`X-API-Key: ${k}`, `Connection: Upgrade`, `Upgrade: ${k}`], true],
  ['in-origin', (k) => [`X-API-Key: ${k}`, `Origin: https://${k}.test`], false],
  ['in-cookie', (k) => [`X-API-Key: ${k}`, `Cookie: a=1; k=${k}`], false],
];
const places = PLACES.flatMap(([name, lines, mayBeRefused]) =>
  DOORS.map((door): Case => ({
    id: `credentials/${door}/never-upstream-${name}`,
    rule: 'the key goes to no sandbox, wherever in the head it stands',
    source: 'issue 3, Credentials',
    run: async (world) => {
      const stage = await world.stage();
      const own = door === 'upgrade' ? [...WEBSOCKET_LINES] : [];
      const { answer } = await stage.send(stage.bare('GET /k HTTP/1.1', [...own, ...lines(stage.key)]));
      if (!mayBeRefused) same(answer.status, door === 'http' ? 200 : 101, 'status');
      check([200, 101, 400, 401, 417, 502].includes(answer.status), `status ${answer.status}`);
      for (const received of stage.agent.received)
        check(!received.head.raw.toLowerCase().includes(stage.key), 'the key went on');
    },
  })),
);

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
const wrong = WRONG.flatMap(([name, lines]) =>
  DOORS.map((door): Case => ({
    id: `credentials/${door}/unauthorized-${name}`,
    rule: 'no credential or an unknown one: 401, and nobody is called',
    source: 'architecture 5',
    run: async (world) => {
      const stage = await world.stage();
      const own = door === 'upgrade' ? [...WEBSOCKET_LINES] : [];
      const { answer } = await stage.send(stage.bare('GET /k HTTP/1.1', [...own, ...lines(world)]));
      checkOwn(answer, 401, 'unauthorized');
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
);

/** The parts of an answer that must not differ; the request id is its own each time. */
function comparable(answer: Answer): unknown {
  const id = (JSON.parse(answer.body.toString()) as { error: { requestId: string } }).error.requestId;
  const plain = (text: string): string => text.replaceAll(id, '{id}');
  return [
    answer.status,
    answer.reason,
    plain(answer.body.toString()),
    answer.fields.filter(([n]) => n.toLowerCase() !== 'date').map(([n, v]) => [n, plain(v)]),
  ];
}

async function foreignAndUnknown(
  world: World,
): Promise<{ foreign: Stage; heads: (door: 'http' | 'upgrade') => string[] }> {
  const foreign = await world.stage(undefined, { team: world.teams.b });
  const mine = `X-API-Key: ${world.teams.a.key}`;
  const unknownHost = foreign.host.replace(foreign.id, sandboxId(newTeam().uuid));
  return {
    foreign,
    heads: (door) => {
      const head = foreign.bare('GET /x HTTP/1.1', [...(door === 'upgrade' ? WEBSOCKET_LINES : []), mine]);
      return [head, head.replace(foreign.host, unknownHost)];
    },
  };
}

function median(list: number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
}

const single: Case[] = [
  ...DOORS.map((door): Case => ({
    id: `credentials/${door}/foreign-like-unknown`,
    rule: 'another team’s sandbox and one that does not exist answer alike, in every header and byte',
    source: 'issue 3, Credentials',
    run: async (world) => {
      const { foreign, heads } = await foreignAndUnknown(world);
      const answers: Answer[] = [];
      for (let round = 0; round < 2; round++)
        for (const head of heads(door)) answers.push((await foreign.send(head)).answer);
      for (const answer of answers) checkOwn(answer, 404, 'sandbox_not_found');
      for (const answer of answers) same(comparable(answer), comparable(answers[0] as Answer), 'answers');
      same(foreign.agent.connections.length, 0, 'connections upstream');
    },
  })),
  {
    id: 'credentials/foreign-like-unknown-in-time',
    rule: 'another team’s sandbox and one that does not exist take the same time',
    source: 'issue 3, Credentials',
    alone: true,
    run: async (world) => {
      const times: [number[], number[]] = [[], []];
      for (let round = 0; round < 40; round++) {
        const { foreign, heads } = await foreignAndUnknown(world);
        const pair = heads('http');
        for (const which of round % 2 ? [0, 1] : [1, 0]) {
          const begun = performance.now();
          const { client } = await foreign.send(pair[which] as string);
          times[which]?.push(performance.now() - begun);
          client.destroy();
        }
        foreign.agent.close();
      }
      const apart = Math.abs(median(times[0]) - median(times[1]));
      check(apart < 3, `medians are ${apart.toFixed(2)} ms apart`);
    },
  },
  {
    id: 'credentials/paused-foreign',
    rule: 'the status of another team’s sandbox is not told',
    source: 'architecture 2',
    run: async (world) => {
      const stage = await world.stage(undefined, { team: world.teams.b, status: 'paused' });
      const { answer } = await stage.send(stage.bare('GET / HTTP/1.1', [`X-API-Key: ${world.teams.a.key}`]));
      checkOwn(answer, 404, 'sandbox_not_found');
    },
  },
  ...(['Content-Length: 100000000', 'Transfer-Encoding: chunked'] as const).map((line): Case => ({
    id: `credentials/large-body-unread-${line.startsWith('C') ? 'length' : 'chunked'}`,
    rule: '401 comes before the body and the body is not read',
    source: 'issue 3, Credentials; traps, Node core 9',
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(stage.bare('POST /k HTTP/1.1', [line]));
      const answer = await client.answer('POST', 1_500);
      checkOwn(answer, 401, 'unauthorized');
      const piece = Buffer.alloc(1_048_576, 'q');
      const chunk = Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')]);
      for (let i = 0; i < 40 && client.ending === null; i++) {
        client.send(line.startsWith('C') ? piece : chunk);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await until(() => client.ending !== null, 'the connection is closed', 2_000);
      check(client.socket.bytesWritten - client.socket.writableLength < 25_000_000, 'the body was read');
    },
  })),
  {
    id: 'credentials/order-of-checks',
    rule: 'port range, credential, id format, sandbox, status, address: the first that fails answers',
    source: 'architecture 2',
    run: async (world) => {
      const stage = await world.stage(undefined, { status: 'paused', address: '' });
      const ask = async (host: string, key: string): Promise<string | undefined> =>
        /"code":"(\w+)"/.exec(
          (
            await stage.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-API-Key: ${key}\r\n\r\n`)
          ).answer.body.toString(),
        )?.[1];
      same(
        await ask(stage.host.replace('3000-', '0-').replace(stage.id, 'cl-1'), 'x'),
        'invalid_port',
        'port first',
      );
      same(await ask(stage.host.replace(stage.id, 'cl-1'), 'x'), 'unauthorized', 'then the credential');
      same(await ask(stage.host.replace(stage.id, 'cl-1'), stage.key), 'invalid_sandbox_id', 'then the id');
      same(await ask(stage.host, stage.key), 'sandbox_not_running', 'then the status');
    },
  },
  ...DOORS.map((door): Case => ({
    id: `credentials/${door}/deleted-key`,
    rule: 'a deleted key admits nobody within 250 ms',
    source: 'issue 2, change feed',
    run: async (world) => {
      const team = newTeam();
      await world.platform.addTeam(team);
      const stage = await world.stage(undefined, { team });
      const knock = async (): Promise<number> => (await stage.send(stage.knock(door, '/'))).answer.status;
      same(await knock(), door === 'http' ? 200 : 101, 'before');
      await world.platform.query('DELETE FROM team_api_keys WHERE team_id = $1', [team.uuid]);
      await new Promise((resolve) => setTimeout(resolve, 250));
      same(await knock(), 401, 'after');
    },
  })),
];

export const credentials: readonly Case[] = [...everyMethod, ...places, ...wrong, ...single];
