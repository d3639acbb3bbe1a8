import { expect } from 'vitest';
import { answer, always } from '../kit/agent.js';
import { valuesOf } from '../kit/answer.js';
import { type Door, DOORS } from '../kit/requests.js';
import { test } from './test.js';
import type { Stage } from './world.js';

/** Kinds of answer that can carry Set-Cookie, each as a script for given lines. */
const SOURCES: [name: string, door: Door, wire: (block: string) => string][] = [
  ['200', 'HTTP', (b) => `HTTP/1.1 200 OK\r\n${b}Content-Length: 0\r\n\r\n`],
  ['302', 'HTTP', (b) => `HTTP/1.1 302 Found\r\nLocation: /x\r\n${b}Content-Length: 0\r\n\r\n`],
  ['304', 'HTTP', (b) => `HTTP/1.1 304 Not Modified\r\n${b}\r\n`],
  ['404', 'HTTP', (b) => `HTTP/1.1 404 No\r\n${b}Content-Length: 0\r\n\r\n`],
  ['500', 'HTTP', (b) => `HTTP/1.1 500 No\r\n${b}Content-Length: 0\r\n\r\n`],
  [
    'agent-error',
    'HTTP',
    (b) => `HTTP/1.1 503 No\r\nX-Sandbox-Error: agent;x\r\n${b}Content-Length: 0\r\n\r\n`,
  ],
  ['103', 'HTTP', (b) => `HTTP/1.1 103 Early Hints\r\n${b}\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`],
  ['101', 'upgrade', (b) => `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${b}\r\n`],
  ['refused-upgrade', 'upgrade', (b) => `HTTP/1.1 403 No\r\n${b}Content-Length: 0\r\n\r\n`],
];

const NARROWED: [name: string, sent: (host: string) => string, want: (host: string) => string][] = [
  ['parent', () => 'a=1; Domain=sandbox.test; Path=/', () => 'a=1; Path=/'],
  ['parent-dot', () => 'a=1; Path=/; Domain=.sandbox.test', () => 'a=1; Path=/'],
  ['parent-case', () => 'a=1; dOmAiN=Sandbox.TEST; Secure', () => 'a=1; Secure'],
  ['spaces', () => 'a=1;  domain = sandbox.test ; HttpOnly', () => 'a=1; HttpOnly'],
  ['no-space', () => 'a=1;Domain=sandbox.test;Secure', () => 'a=1;Secure'],
  ['tld', () => 'a=1; Domain=test', () => 'a=1'],
  ['sibling', (h) => `a=1; Domain=3001${h.slice(4)}`, () => 'a=1'],
  ['foreign', () => 'a=1; Domain=bank.example', () => 'a=1'],
  ['twice', (h) => `a=1; Domain=${h}; Domain=sandbox.test`, (h) => `a=1; Domain=${h}`],
  ['empty-then-parent', () => 'a=1; Domain=; Domain=sandbox.test; X', () => 'a=1; X'],
  ['tab', () => 'a=1;\tDomain\t=\tsandbox.test', () => 'a=1'],
  ['two-dots', () => 'a=1; Domain=..sandbox.test', () => 'a=1'],
  ['trailing-dot', () => 'a=1; Domain=sandbox.test.', () => 'a=1'],
  ['quoted', () => 'a=1; Domain="sandbox.test"', () => 'a=1'],
  ['own', (h) => `a=1; Domain=${h}; Path=/`, (h) => `a=1; Domain=${h}; Path=/`],
  ['value-lookalike', () => 'a=Domain=sandbox.test; Path=/', () => 'a=Domain=sandbox.test; Path=/'],
  ['name-lookalike', () => 'Domain=sandbox.test; Path=/', () => 'Domain=sandbox.test; Path=/'],
];

for (const [row, [name, sent, want]] of NARROWED.entries())
  for (const [from, door, wire] of SOURCES.filter((_, i) => i < 1 || row < 4))
    test(`cookies/${from}/domain-${name} — a cookie’s Domain wider than the sandbox’s own host is dropped, the cookie stays [RFC 6265 5.3]`, async (world) => {
      const stage: Stage = await world.stage((exchange) => {
        const text = wire(
          `Set-Cookie: k=1\r\nset-cookie: ${sent(stage.host)}\r\nSet-Cookie: z=2; Path=/z\r\n`,
        );
        if (from === '101') exchange.tunnel(text);
        else exchange.send(text);
      });
      const got = (await stage.send(stage.knock(door, '/c'))).answer;
      const fields = from === '103' ? (got.interim[0]?.fields ?? []) : got.fields;
      // A cookie without `Domain` and one whose last `Domain` is empty are the same (RFC 6265 5.2.3).
      const values = valuesOf(fields, 'set-cookie').map((value) =>
        value.replace(/;\s*domain\s*=\s*(?=;|$)/i, ''),
      );
      expect(values, 'Set-Cookie lines').toEqual(['k=1', want(stage.host), 'z=2; Path=/z']);
    });

const OURS = ['__Host-sandbox_session', 'sandbox_session', 'SANDBOX_SESSION', '__host-Sandbox_Session'];

for (const name of OURS)
  for (const [from, door, wire] of SOURCES.filter((_, i) => [0, 4, 6, 7, 8].includes(i)))
    test(`cookies/${from}/plants-${name} — an app cannot set a cookie of the proxy’s own name [RFC 6265 8.6]`, async (world) => {
      const text = wire(
        `Set-Cookie: ${name}=evil; Path=/\r\nSet-Cookie: a=1\r\nSet-Cookie:  ${name} = evil\r\nSet-Cookie: =${name}=evil\r\n`,
      );
      const stage = await world.stage(
        (exchange) => void (from === '101' ? exchange.tunnel(text) : exchange.send(text)),
      );
      const got = (await stage.send(stage.knock(door, '/c'))).answer;
      expect(
        valuesOf(from === '103' ? (got.interim[0]?.fields ?? []) : got.fields, 'set-cookie'),
        'Set-Cookie lines',
      ).toEqual(['a=1']);
    });

const SENT: [name: string, sent: string[], want: string[]][] = [
  ['alone', ['__Host-sandbox_session=s'], []],
  ['plain', ['sandbox_session=s'], []],
  ['first', ['sandbox_session=s; a=1'], ['a=1']],
  ['middle', ['a=1; __Host-sandbox_session=s; b=2'], ['a=1; b=2']],
  ['last', ['a=1; sandbox_session=s'], ['a=1']],
  ['both', ['sandbox_session=s; __Host-sandbox_session=t; c=3'], ['c=3']],
  ['twice', ['sandbox_session=s; sandbox_session=t; c=3'], ['c=3']],
  ['second-line', ['a=1', 'sandbox_session=s; b=2'], ['a=1', 'b=2']],
  ['no-space', ['a=1;sandbox_session=s;b=2'], ['a=1;b=2']],
  ['case', ['a=1; Sandbox_Session=s'], ['a=1']],
  [
    'near-miss',
    ['sandbox_sessions=1; xsandbox_session=2; a=sandbox_session'],
    ['sandbox_sessions=1; xsandbox_session=2; a=sandbox_session'],
  ],
];

for (const [name, sent, want] of SENT)
  for (const door of DOORS)
    test(`cookies/${door}/own-cookie-${name} — our own cookies never reach the sandbox, the app’s do, byte for byte [CWE-522]`, async (world) => {
      const stage = await world.stage();
      await stage.send(
        stage.knock(
          door,
          '/c',
          sent.map((value) => `Cookie: ${value}`),
        ),
      );
      expect((await stage.agent.request()).values('cookie'), 'Cookie lines upstream').toEqual(want);
    });

test('cookies/many-stay-many — thirty Set-Cookie lines stay thirty, in order [RFC 6265 3]', async (world) => {
  const lines = Array.from({ length: 30 }, (_, i) => `Set-Cookie: c${i}=${i}; Path=/${i}`);
  const stage = await world.stage(always(answer(200, '', lines)));
  const got = await stage.ask('GET', '/');
  expect(got.all('set-cookie'), 'Set-Cookie lines').toEqual(lines.map((line) => line.slice(12)));
});
