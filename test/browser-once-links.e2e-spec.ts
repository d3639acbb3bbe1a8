import { describe, expect, it } from 'vitest';
import type { Answer } from './kit/answer.js';
import { BrowserStage } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';

// Chats that show a preview, scanners of mail and browsers that load ahead open links before the guest does: the link was
// spent then, and the guest got 401.

const stage = new BrowserStage();
const secure = new BrowserStage({ env: { PUBLIC_URL: 'https://sandboxes.example.com' } });

const STAGES = [
  ['http', stage],
  ['https', secure],
] as const;
const VISITS = [
  ['a browser', ['Accept: text/html', 'Sec-Fetch-Mode: navigate']],
  ['a prefetch', ['Sec-Purpose: prefetch']],
  ['prerendering', ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Purpose: prefetch;prerender']],
  ['a preview', ['User-Agent: Slackbot-LinkExpanding 1.0', 'Accept: */*']],
  ['a client that wants JSON', ['Accept: application/json']],
] as const;

/** What the button of the page does. */
function press(at: BrowserStage, token: string, lines: readonly string[] = []): Promise<Answer> {
  return post(at, token, [`Origin: ${at === secure ? 'https' : 'http'}://${at.host()}`, ...lines]);
}

function post(at: BrowserStage, token: string, lines: readonly string[]): Promise<Answer> {
  const own = [`Host: ${at.host()}`, 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 0'];
  return at.ask(at.bare('POST', `/a?x=1&sandbox_link=${token}`, [...own, ...lines]));
}

const once = async (at: BrowserStage = stage): Promise<string> => (await at.link({ once: true })).token;

describe.each(STAGES)('a link for one browser (%s)', (scheme, at) => {
  it.each(VISITS)('is not spent by the GET of %s, which gets a page', async (_who, lines) => {
    const token = await once(at);
    for (let i = 0; i < 2; i += 1) {
      const answer = await at.open(`/a?x=1&sandbox_link=${token}`, lines);
      expect([answer.status, answer.header('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(answer.all('set-cookie')).toEqual([]);
    }
    expect((await press(at, token)).status).toBe(303);
  });

  it('is spent by the button, which leads to the place without the token', async () => {
    const token = await once(at);
    const answer = await press(at, token);
    expect([answer.status, answer.header('location'), answer.header('referrer-policy')]).toEqual([
      303,
      '/a?x=1',
      'no-referrer',
    ]);
    const cookie = answer.header('set-cookie')?.split(';', 1)[0] ?? '';
    expect(cookie).toMatch(/sandbox_session=wrs_/);
    const { head } = await at.exchange(at.withCookie(cookie));
    expect(head).toMatch(/^GET /);
    for (const next of [await press(at, token), await at.open(`/?sandbox_link=${token}`)])
      expect([next.status, next.all('set-cookie')]).toEqual([401, []]);
  });

  it('is spent by a page whose origin is hidden, if the browser says that it is its own', async () => {
    const token = await once(at);
    for (const site of ['cross-site', 'same-site', 'none'])
      expect((await post(at, token, ['Origin: null', `Sec-Fetch-Site: ${site}`])).status).toBe(403);
    expect((await post(at, token, ['Origin: null'])).status).toBe(403);
    expect((await post(at, token, ['Origin: null', 'Sec-Fetch-Site: same-origin'])).status).toBe(303);
  });

  it.each([
    'https://evil.example',
    `${scheme}://3000-cl-${'1'.repeat(25)}.localhost`,
    '',
    `${scheme}://evil.example/`,
  ])('is not spent by a page of another origin: %j', async (origin) => {
    const token = await once(at);
    const answer = await post(at, token, [`Origin: ${origin}`, 'Sec-Fetch-Site: cross-site']);
    expect([answer.status, answer.header('x-sandbox-error')]).toEqual([403, 'proxy;cross_site_request']);
    expect(answer.all('set-cookie')).toEqual([]);
    expect((await press(at, token)).status).toBe(303);
  });

  it('is won by exactly one of fifty', async () => {
    const token = await once(at);
    const answers = await Promise.all(Array.from({ length: 50 }, () => press(at, token)));
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
  });
});

describe('a link for one browser', () => {
  it('is not spent by another method, an upgrade, or a POST that no page sends', async () => {
    const token = await once();
    const target = `/?sandbox_link=${token}`;
    const lines = [`Host: ${stage.host()}`];
    const own = `Origin: http://${stage.host()}`;
    for (const bytes of [
      stage.bare('HEAD', target, lines),
      stage.bare('PUT', target, [...lines, own, 'Content-Length: 0']),
      stage.bare('POST', target, [...lines, 'Content-Length: 0']),
      stage.bare('GET', target, [...lines, ...UPGRADE_LINES]),
      stage.bare('GET', target, [...lines, own, ...UPGRADE_LINES]),
    ])
      expect((await stage.ask(bytes)).status).toBe(401);
    expect((await press(stage, token)).status).toBe(303);
  });

  it('lets the browser that has spent it in again, and nobody else', async () => {
    const token = await once();
    const cookie = (await press(stage, token)).header('set-cookie')?.split(';', 1)[0] ?? '';
    for (const answer of [
      await stage.open(`/a?x=1&sandbox_link=${token}`, [`Cookie: ${cookie}`]),
      await press(stage, token, [`Cookie: ${cookie}`]),
    ])
      expect([answer.status, answer.header('location'), answer.all('set-cookie')]).toEqual([
        303,
        '/a?x=1',
        [],
      ]);
    expect((await stage.open(`/?sandbox_link=${token}`)).status).toBe(401);
  });

  it.each(['another port', 'another sandbox'])('shows no page at %s', async (where) => {
    const token = await once();
    const sibling = await stage.rows.sandbox(stage.team.id, stage.hostId);
    const host = where === 'another port' ? stage.host(3001) : `3000-${sibling.id}.localhost`;
    const answer = await stage.ask(stage.bare('GET', `/?sandbox_link=${token}`, [`Host: ${host}`]));
    expect(answer.status).toBe(401);
  });
});

describe('the page of a link for one browser', () => {
  it('has one button, no script, and no address of another place', async () => {
    const { body } = await stage.open(`/a?x=1&sandbox_link=${await once()}`);
    expect(body.match(/<form\b[^>]*>/g)).toEqual(['<form method="post">']);
    expect(body.match(/<button\b/g)).toHaveLength(1);
    expect(body).not.toMatch(/<(script|link|img|iframe|a|input)\b|https?:|url\(|\son\w+=|style=|wrl_/i);
  });

  it('may send its form to its own place alone, with its Origin, and is kept by nobody', async () => {
    const answer = await stage.open(`/?sandbox_link=${await once()}`);
    const policy = answer.header('content-security-policy') ?? '';
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      expect.stringMatching(/^style-src 'sha256-[^']+'$/),
      "base-uri 'none'",
      "form-action 'self'",
    ]);
    expect(
      ['referrer-policy', 'cache-control', 'x-content-type-options', 'x-request-id'].map((name) =>
        answer.header(name),
      ),
    ).toEqual(['same-origin', 'no-store', 'nosniff', expect.any(String)]);
    const refused = await stage.open('/', ['Accept: text/html']);
    expect(refused.header('content-security-policy')).toContain("form-action 'none'");
  });
});
