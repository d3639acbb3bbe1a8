import { type Case, DOORS } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { checkOwn } from '../harness/world.js';

/** Stands for another tenant's id in the spellings below. */
const VICTIM = 'cl-0000000000000000000000001';
const V = `${VICTIM}/80/x`;

/** Request target -> what must stand behind the admitted prefix, or null for 400 invalid_path. */
const TRAVERSALS: [sent: string, want: string | null][] = [
  [`/../${V}`, `/${V}`],
  [`/../../${V}`, `/${V}`],
  [`/../../proxy/${V}`, `/proxy/${V}`],
  [`/../../../../../../../../${V}`, `/${V}`],
  [`/a/../../../${V}`, `/${V}`],
  [`/./../${V}`, `/${V}`],
  [`/.././../${V}`, `/${V}`],
  [`//../../${V}`, `/${V}`],
  [`//..//../${V}`, `/${V}`],
  [`/a//../../../../${V}`, `/${V}`],
  ['/..', '/'],
  ['/../', '/'],
  ['/../..', '/'],
  ['/.', '/'],
  ['/./', '/'],
  ['/a/..', '/'],
  ['/a/../', '/'],
  ['/a/b/..', '/a/'],
  ['/a/./b', '/a/b'],
  ['/a/.', '/a/'],
  ['/a//..', '/a/'],
  ['/a//../b', '/a/b'],
  [`/%2e%2e/${V}`, `/${V}`],
  [`/%2E%2E/%2e%2E/${V}`, `/${V}`],
  [`/%2e./${V}`, `/${V}`],
  [`/.%2e/.%2E/${V}`, `/${V}`],
  [`/%2e%2e/%2e%2e/proxy/${V}`, `/proxy/${V}`],
  ['/%2e', '/'],
  ['/%2e/', '/'],
  ['/a/%2e%2e', '/'],
  ['/a/%2e/b', '/a/b'],
  [`/a/%2e%2e/%2e%2e/${V}`, `/${V}`],
  [`/..%2f${V}`, null],
  [`/..%2F..%2f${V}`, null],
  [`/%2e%2e%2f${V}`, null],
  [`/%2E%2e%2F%2e%2e%2f${V}`, null],
  [`/a%2f..%2f..%2f${V}`, null],
  [`/a/..%2f..%2f${V}`, null],
  [`/%2f..%2f${V}`, null],
  [`/%2f../${V}`, null],
  [`/..%5c${V}`, null],
  [`/..%5C..%5c${V}`, null],
  [`/%2e%2e%5c${V}`, null],
  [`/a%5c..%5c..%5c${V}`, null],
  [`/..\\${V}`, null],
  [`/..\\..\\${V}`, null],
  [`/a\\..\\..\\${V}`, null],
  [`/\\../${V}`, null],
  [`/%2e%2e\\${V}`, null],
  [`/x\\..\\..\\y`, null],
  [`/a/..\\../${V}`, null],
  ['/a%2f..', null],
  ['/a%5c..', null],
  ['/a\\..', null],
  ['/..%2f', null],
  ['/..%5c', null],
  [`/..;/${V}`, `/..;/${V}`],
  [`/..;x=1/${V}`, `/..;x=1/${V}`],
  [`/%252e%252e/${V}`, `/%252e%252e/${V}`],
  [`/%252e%252e%252f${V}`, `/%252e%252e%252f${V}`],
  [`/..%252f${V}`, `/..%252f${V}`],
  [`/%c0%ae%c0%ae/${V}`, `/%c0%ae%c0%ae/${V}`],
  [`/%e0%80%ae%e0%80%ae/${V}`, `/%e0%80%ae%e0%80%ae/${V}`],
  [`/%uff0e%uff0e/${V}`, `/%uff0e%uff0e/${V}`],
  [`/..%00/${V}`, `/..%00/${V}`],
  [`/..%0d%0a/${V}`, `/..%0d%0a/${V}`],
  [`/..%09/${V}`, `/..%09/${V}`],
  [`/..%20/${V}`, `/..%20/${V}`],
  [`/.../${V}`, `/.../${V}`],
  [`/..../${V}`, `/..../${V}`],
  [`/..a/${V}`, `/..a/${V}`],
  [`/a../${V}`, `/a../${V}`],
  [`/.a/.b../${V}`, `/.a/.b../${V}`],
  [`/%2e%2e%2e/${V}`, `/%2e%2e%2e/${V}`],
  ['/a?x=/../../y', '/a?x=/../../y'],
  [`/?/../../${V}`, `/?/../../${V}`],
  [`/..?/../${V}`, `/?/../${V}`],
  ['/a/..?x=%2e%2e%2f', '/?x=%2e%2e%2f'],
  [`//evil.test/../../${V}`, `/${V}`],
  [`/\\\\evil.test/x`, `/\\\\evil.test/x`],
];

const traversals = TRAVERSALS.flatMap(([sent, want]) =>
  DOORS.map((door): Case => ({
    id: `paths/${door}/traversal ${sent.replaceAll(VICTIM, '{victim}')}`,
    rule:
      want === null
        ? 'a hidden ".." is refused'
        : `goes on as {prefix}${want.replaceAll(VICTIM, '{victim}')}`,
    source: 'RFC 3986 5.2.4; kortix-ai/suna#5710; GHSA-2q7r-29rg-6m5h',
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, sent));
      if (want === null) {
        checkOwn(answer, 400, 'invalid_path');
        same(stage.agent.connections.length, 0, 'connections upstream');
        return;
      }
      same(answer.status, door === 'http' ? 200 : 101, 'status');
      same(
        stage.agent.received.map((one) => one.target),
        [stage.prefix + want],
        'target upstream',
      );
    },
  })),
);

const REFUSED: [name: string, target: string][] = [
  ['fragment', '/a#b'],
  ['fragment-traversal', '/a#/../../x'],
  ['fragment-encoded-dots', '/#/%2e%2e/x'],
  ['no-slash', 'a/b'],
  ['authority-form', 'other.test:80'],
  ['question', '?x=1'],
  ['star', '*'],
  ['scheme-file', 'file:///etc/passwd'],
  ['scheme-javascript', 'javascript:1'],
  ['empty-authority', 'http:///x'],
  ['percent', '%2e%2e/x'],
  ['dots', '../x'],
];
const refused = REFUSED.flatMap(([name, target]) =>
  DOORS.map((door): Case => ({
    id: `paths/${door}/refused-${name}`,
    rule: 'a target that is no path of a sandbox is refused with 400',
    source: 'RFC 9112 3.2',
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, target));
      same(answer.status, 400, 'status');
      same(stage.agent.connections.length, 0, 'connections upstream');
    },
  })),
);

const absolute = DOORS.flatMap((door): Case[] => [
  ...(['http', 'HTTP', 'https'] as const).map((scheme): Case => ({
    id: `paths/${door}/absolute-form-own-${scheme}`,
    rule: 'an absolute-form target with our own authority is its path, or refused; never an URL behind the prefix',
    source: 'RFC 9112 3.2.2; CVE-2026-44578',
    run: async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, `${scheme}://${stage.host}/a/b?c=1`));
      const targets = stage.agent.received.map((one) => one.target);
      if (answer.status === 400) same(targets, [], 'targets upstream');
      else same(targets, [`${stage.prefix}/a/b?c=1`], 'targets upstream');
    },
  })),
  {
    id: `paths/${door}/absolute-form-foreign`,
    rule: 'an absolute-form target with another authority is refused, and nobody is called',
    source: 'CVE-2026-44578; RFC 9112 3.2.2',
    run: async (world) => {
      const [stage, other] = [await world.stage(), await world.stage()];
      for (const authority of [
        `127.0.0.1:${other.agent.port}`,
        other.host,
        'evil.test',
        `evil.test@${stage.host}`,
        `${stage.host}@evil.test`,
        `${stage.host}:99999`,
      ]) {
        const { answer } = await stage.send(stage.knock(door, `http://${authority}/x`));
        same(answer.status, 400, `status for ${authority}`);
      }
      same([stage.agent.connections.length, other.agent.connections.length], [0, 0], 'connections upstream');
    },
  },
]);

const single: Case[] = [
  {
    id: 'paths/http/options-star',
    rule: 'OPTIONS * goes on as OPTIONS {prefix}/*',
    source: 'RFC 9110 9.3.7',
    run: async (world) => {
      const stage = await world.stage();
      same((await stage.ask('OPTIONS', '*')).status, 200, 'status');
      const got = await stage.agent.request();
      same([got.method, got.target], ['OPTIONS', `${stage.prefix}/*`], 'request line');
    },
  },
  ...DOORS.map((door): Case => ({
    id: `paths/${door}/property-arbitrary-bytes`,
    rule: 'whatever bytes a target has, what leaves starts with the admitted prefix and climbs nowhere',
    source: 'architecture 3',
    timeoutMs: 30_000,
    run: async (world) => {
      const stage = await world.stage();
      const bits = [
        '..',
        '.',
        '/',
        '//',
        '%2e',
        '%2E%2e',
        '%2f',
        '%5c',
        '\\',
        '%00',
        '?',
        ';',
        'a',
        'proxy',
        VICTIM,
        '80',
        '@',
        ':',
        '%',
        '\xff',
        '\x80',
        '~',
        '&',
        '%25',
        '%252e',
        '*',
        '[',
        '"',
      ];
      let seed = 12_345;
      const random = (below: number): number =>
        (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
      let client = await stage.client();
      for (let i = 0; i < 250; i++) {
        const target = `/${Array.from({ length: 1 + random(9) }, () => bits[random(bits.length)]).join('')}`;
        if (client.ending !== null || door === 'upgrade') {
          client.destroy();
          client = await stage.client();
        }
        client.send(stage.knock(door, target));
        const { status } = await client.answer();
        check([200, 101, 400].includes(status), `${status} for ${target}`);
        const last = stage.agent.received.at(-1);
        if (status === 400) continue;
        check(last && last.target.startsWith(`${stage.prefix}/`), `${target} became ${last?.target}`);
        const path = last.target.slice(stage.prefix.length).split('?')[0] ?? '';
        const plain = path.replaceAll(/%2e/gi, '.').split(/[/\\]|%2f|%5c/i);
        check(!plain.includes('..'), `${target} left as ${last.target}`);
      }
    },
  })),
];

export const paths: readonly Case[] = [...traversals, ...refused, ...absolute, ...single];
