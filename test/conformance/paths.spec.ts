import { assert, expect } from 'vitest';
import { Random } from '../kit/random.js';
import { DOORS } from '../kit/requests.js';
import { test } from './test.js';
import { checkOwn } from './world.js';

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
  [`/..;/${V}`, null],
  [`/..;x=1/${V}`, null],
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

for (const [sent, want] of TRAVERSALS)
  for (const door of DOORS)
    test(`paths/${door}/traversal ${sent.replaceAll(VICTIM, '{victim}')} — ${
      want === null ? 'a hidden ".." is refused' : `goes on as {prefix}${want.replaceAll(VICTIM, '{victim}')}`
    } [RFC 3986 5.2.4; kortix-ai/suna#5710; GHSA-2q7r-29rg-6m5h]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, sent));
      if (want === null) {
        checkOwn(answer, 400, 'invalid_path');
        expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
        return;
      }
      expect(answer.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
      expect(
        stage.agent.received.map((one) => one.target),
        'target upstream',
      ).toEqual([stage.prefix + want]);
    });

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

for (const [name, target] of REFUSED)
  for (const door of DOORS)
    test(`paths/${door}/refused-${name} — a target that is no path of a sandbox is refused with 400 [RFC 9112 3.2]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, target));
      expect(answer.status, 'status').toEqual(400);
      expect(stage.agent.connections.length, 'connections upstream').toEqual(0);
    });

for (const door of DOORS) {
  for (const scheme of ['http', 'HTTP', 'https'] as const)
    test(`paths/${door}/absolute-form-own-${scheme} — an absolute-form target with our own authority is its path, or refused; never an URL behind the prefix [RFC 9112 3.2.2; CVE-2026-44578]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, `${scheme}://${stage.host}/a/b?c=1`));
      const targets = stage.agent.received.map((one) => one.target);
      if (answer.status === 400) expect(targets, 'targets upstream').toEqual([]);
      else expect(targets, 'targets upstream').toEqual([`${stage.prefix}/a/b?c=1`]);
    });

  test(`paths/${door}/absolute-form-foreign — an absolute-form target with another authority is refused, and nobody is called [CVE-2026-44578; RFC 9112 3.2.2]`, async (world) => {
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
      expect(answer.status, `status for ${authority}`).toEqual(400);
    }
    expect([stage.agent.connections.length, other.agent.connections.length], 'connections upstream').toEqual([
      0, 0,
    ]);
  });
}

test('paths/HTTP/options-star — OPTIONS * goes on as OPTIONS {prefix}/* [RFC 9110 9.3.7]', async (world) => {
  const stage = await world.stage();
  expect((await stage.ask('OPTIONS', '*')).status, 'status').toEqual(200);
  const got = await stage.agent.request();
  expect([got.method, got.target], 'request line').toEqual(['OPTIONS', `${stage.prefix}/*`]);
});

for (const door of DOORS)
  test(`paths/${door}/property-arbitrary-bytes — whatever bytes a target has, what leaves starts with the admitted prefix and climbs nowhere [RFC 3986 5.2.4]`, async (world) => {
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
    const random = new Random(12_345);
    let client = await stage.client();
    for (let i = 0; i < 250; i++) {
      const target = `/${random.pick(bits)}${random.some(bits, 8).join('')}`;
      client.send(stage.knock(door, target));
      const { status } = await client.answer();
      assert(status === 400 || status === (door === 'HTTP' ? 200 : 101), `${status} for ${target}`);
      if (status !== 200) {
        client.close();
        client = await stage.client();
      }
      const last = stage.agent.received.at(-1);
      if (status === 400) continue;
      assert(last && last.target.startsWith(`${stage.prefix}/`), `${target} became ${last?.target}`);
      const path = last.target.slice(stage.prefix.length).split('?')[0] ?? '';
      const plain = path.replaceAll(/%2e/gi, '.').split(/[/\\]|%2f|%5c/i);
      assert(!plain.includes('..'), `${target} left as ${last.target}`);
    }
  });
