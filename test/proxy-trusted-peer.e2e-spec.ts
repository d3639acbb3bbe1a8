import { describe, expect, it } from 'vitest';
import { BrowserStage } from './kit/browser-stage.js';
import { fieldsOfHead } from './kit/answer.js';

const stage = new BrowserStage({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } });

const LAST = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

describe('what a trusted proxy says of the hops before it', () => {
  const SAID = [
    'X-Forwarded-For: 203.0.113.9',
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: public.example.com',
    'Forwarded: for=203.0.113.9',
    'X-Request-Id: from-the-edge',
  ];

  async function fields(): Promise<Record<string, string>> {
    const { head } = await stage.exchange(stage.head('GET', '/', SAID), LAST);
    return Object.fromEntries(fieldsOfHead(head).map(([name, value]) => [name.toLowerCase(), value]));
  }

  it('passes to an app that sees itself from outside, with its own address at the end of the chain', async () => {
    await stage.putPort(3000, { appHost: 'external' });
    expect(await fields()).toMatchObject({
      'x-forwarded-for': '203.0.113.9, 10.0.0.1, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example.com',
      forwarded: 'for=203.0.113.9',
      'x-request-id': 'from-the-edge',
    });
  });

  it('passes to another app but for the address, which would not be the one that this app sees', async () => {
    const seen = await fields();
    expect(seen).toMatchObject({
      'x-forwarded-for': '203.0.113.9, 10.0.0.1, 127.0.0.1',
      'x-request-id': 'from-the-edge',
      'x-sandbox-url': `https://${stage.host()}`,
    });
    expect(Object.keys(seen).filter((name) => /^forwarded|-(host|proto)$/.test(name))).toEqual([]);
  });

  it.each(['a b', 'x'.repeat(200), '"', '<x>', '\u00e9', '{"a":1}'])(
    'is not believed as a request id that could be anything: %s',
    async (id) => {
      const { head } = await stage.exchange(stage.head('GET', '/', [`X-Request-Id: ${id}`]));
      expect(new Map(fieldsOfHead(head)).get('X-Request-Id')).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  it("names the request in the proxy's own answers too", async () => {
    const lines = [`Host: ${stage.host()}`, 'X-Request-Id: from-the-edge'];
    const answer = await stage.ask(stage.bare('GET', '/', lines));
    expect([answer.status, answer.header('x-request-id')]).toEqual([401, 'from-the-edge']);
    expect(answer.body).toContain('"requestId":"from-the-edge"');
  });

  it('does not open names that are ours', async () => {
    const { head } = await stage.exchange(
      stage.head('GET', '/', ['X-Sandbox-Id: x', `Cookie: sandbox_session=x`]),
    );
    expect(head).not.toMatch(/sandbox.session|x-sandbox-id/i);
  });
});
