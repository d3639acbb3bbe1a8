import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeId } from '../src/platform/identifiers/resource-id.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';
import { BrowserStage } from './kit/browser-stage.js';
import type { Answer } from './kit/answer.js';
import { until } from './kit/wait.js';

// Without a credential every made-up sandbox is a question to the database (its port might be public), and so is every
// made-up cookie and token: 50 connections of them made everybody else wait for seconds. And what was done against it
// must not keep out those who can show who they are: 1,500 such requests from one address had its links and keys refused.

const stage = new BrowserStage({ env: { TRUSTED_PROXIES: '127.0.0.1' } });
const KINDS = {
  'sandboxes that do not exist': () => ['/', `Host: 80-${encodeId('cl', randomUUID())}.localhost`],
  'sessions that do not exist': () => [
    '/',
    `Host: ${stage.host()}`,
    `Cookie: sandbox_session=wrs_${encodeId('link', randomUUID()).slice(5)}${'A'.repeat(43)}`,
  ],
} as const;

describe.each(Object.entries(KINDS))('a stranger that asks for %s', (_name, next) => {
  it('is told to wait, and costs a team with its key nothing', async () => {
    const client = await stage.client();
    let refusal: Answer | null = null;
    for (let i = 0; i < 1_200 && refusal === null; i += 1) {
      const [target = '', ...lines] = next();
      client.send(stage.bare('GET', target, lines));
      const answer = await stage.answerOn(client);
      if (answer.status === 429) refusal = answer;
    }
    expect([refusal?.header('x-sandbox-error'), refusal?.header('retry-after')]).toEqual([
      'proxy;too_many_lookups',
      '1',
    ]);
    expect((await stage.exchange(stage.head('GET', '/'))).answer.status).toBe(200);
  });
});

/** The requests of one address, `lines` each, on connections of their own, 30 on each. */
async function flood(
  count: number,
  lines: () => readonly string[],
  onAnswer: (answer: Answer) => void = () => undefined,
): Promise<Answer[]> {
  const connections = await Promise.all(Array.from({ length: count / 30 }, () => stage.client()));
  const answers = connections.map(async (client) => {
    const requests = Array.from({ length: 30 }, () => {
      const [target = '', ...rest] = lines();
      return stage.bare('GET', target, rest);
    });
    client.send(requests.join(''));
    const received: Answer[] = [];
    for (let i = 0; i < requests.length; i += 1) {
      const answer = await stage.answerOn(client);
      onAnswer(answer);
      received.push(answer);
    }
    return received;
  });
  return (await Promise.all(answers)).flat();
}

/** So that the next request to the agent is on a connection of its own. */
const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

const FLOODER = 'X-Forwarded-For: 198.51.100.7';
const madeUpLink = () => [
  `/?sandbox_link=wrl_${encodeId('link', randomUUID()).slice(5)}${'A'.repeat(43)}`,
  `Host: ${stage.host()}`,
  FLOODER,
];
const statuses = (answers: readonly Answer[]) => new Set(answers.map(({ status }) => status));

describe('after 1,500 made-up requests from one address', () => {
  beforeEach(async () => {
    const answers = await flood(1_500, () => [...KINDS['sandboxes that do not exist'](), FLOODER]);
    if (!statuses(answers).has(429)) throw new Error('the budget is not used up');
  });

  it('an upgrade behind 31 more of them is told to wait', async () => {
    const next = (lines: readonly string[]) => {
      const [target = '', ...rest] = KINDS['sandboxes that do not exist']();
      return stage.bare('GET', target, [...rest, FLOODER, ...lines]);
    };
    const upgraded = Array.from({ length: 50 }, async () => {
      const client = await stage.client();
      client.send(Array.from({ length: 31 }, () => next([])).join('') + next(UPGRADE_LINES));
      for (let i = 0; i < 31; i += 1) await stage.answerOn(client);
      return stage.answerOn(client);
    });
    const refusal = (await Promise.all(upgraded)).find(({ status }) => status === 429);
    expect([refusal?.header('x-sandbox-error'), refusal?.header('retry-after')]).toEqual([
      'proxy;too_many_lookups',
      '1',
    ]);
  });

  it('a link that is opened from it is exchanged', async () => {
    const { token } = await stage.link();
    expect((await stage.open(`/?sandbox_link=${token}`, [FLOODER])).status).toBe(303);
  });

  it('a link for one browser is confirmed and exchanged', async () => {
    const { token } = await stage.link({ once: true });
    const target = `/?sandbox_link=${token}`;
    expect((await stage.open(target, [FLOODER])).status).toBe(200);
    const lines = [`Host: ${stage.host()}`, `Origin: http://${stage.host()}`, 'Content-Length: 0', FLOODER];
    expect((await stage.ask(stage.bare('POST', target, lines))).status).toBe(303);
  });

  it.each([
    ['HTTP', 'GET', []],
    ['upgrade', 'GET', UPGRADE_LINES],
    ['preflight', 'OPTIONS', ['Access-Control-Request-Method: PUT']],
  ] as const)('a key with an Origin is admitted: %s', async (_door, method, lines) => {
    const origin = 'Origin: https://app.example.com';
    const { head } = await stage.begin(stage.head(method, '/', [FLOODER, origin, ...lines]));
    expect(head.startsWith(`${method} `)).toBe(true);
  });
});

describe('while made-up links from one address wait for their turn', () => {
  it('links are exchanged: of others at once, of its own, stale cookie and all, in their turn', async () => {
    await flood(510, () => [...KINDS['sandboxes that do not exist'](), FLOODER]);
    let isOver = false;
    let refused = 0;
    const flooded = flood(1_500, madeUpLink, ({ status }) => {
      if (status === 429) refused += 1;
    }).finally(() => {
      isOver = true;
    });
    const [own, other] = [await stage.link(), await stage.link()];
    // all have come, and those for whom the line is too short have gone
    await until(() => refused > 1_000, 'the line is full');
    const opened = stage.open(`/?sandbox_link=${own.token}`, [
      FLOODER,
      String(KINDS['sessions that do not exist']()[2]),
    ]);
    for (let i = 0; i < 5; i += 1) {
      const from = `X-Forwarded-For: 203.0.113.${i}`;
      expect((await stage.open(`/?sandbox_link=${other.token}`, [from])).status).toBe(303);
    }
    expect(isOver).toBe(false);
    expect((await opened).status).toBe(303);
    expect(statuses(await flooded)).not.toContain(303);
  });

  // it was refused before anything else was looked at that the request had
  it.each([
    ['a key', async () => [`X-API-Key: ${stage.team.key}`]],
    ['a public port', async () => (await stage.putPort(3000, { visibility: 'public' }), [])],
  ])('one for which the line is too short goes on, and may be admitted by %s', async (_what, admitting) => {
    const lines = await admitting();
    // The settings of the port are in memory: there is no budget left to ask for them.
    await stage.exchange(stage.bare('GET', '/', [`Host: ${stage.host()}`, ...lines]), CLOSING);
    const madeUp = (port: number) => {
      const [target = ''] = madeUpLink();
      return [target, `Host: ${stage.host(port)}`, FLOODER];
    };
    let refused = 0;
    const count = ({ status }: Answer) => {
      if (status === 429) refused += 1;
    };
    const first = flood(1_500, () => madeUp(3001), count);
    await until(() => refused > 1_000, 'the line is full');
    const [target = '', ...rest] = madeUp(3000);
    const begun = stage.begin(stage.bare('GET', target, [...rest, ...lines]));
    await stage.roundTrip();
    const second = flood(300, () => madeUp(3001), count);
    expect((await begun).head).toMatch(/^GET \/proxy\/\S+\/3000\/ HTTP/);
    await Promise.all([first, second]);
  });
});
