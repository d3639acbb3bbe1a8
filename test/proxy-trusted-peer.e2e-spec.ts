import { describe, expect, it } from 'vitest';
import { ProxyStage } from './kit/proxy-stage.js';
import { fieldsOfHead } from './kit/answer.js';

const stage = new ProxyStage({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } });

describe('what a trusted proxy says of the hops before it', () => {
  it('passes, with its own address at the end of the chain', async () => {
    const lines = [
      'X-Forwarded-For: 203.0.113.9',
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: https',

      'X-Forwarded-Host: public.example.com',
      'Forwarded: for=203.0.113.9',
      'X-Request-Id: from-the-edge',
    ];
    const { head } = await stage.exchange(stage.head('GET', '/', lines));
    const fields = new Map(fieldsOfHead(head).map(([name, value]) => [name.toLowerCase(), value]));
    expect(Object.fromEntries(fields)).toMatchObject({
      'x-forwarded-for': '203.0.113.9, 10.0.0.1, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example.com',
      forwarded: 'for=203.0.113.9',
      'x-request-id': 'from-the-edge',
    });
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
    expect(head).not.toMatch(/sandbox.session|x-sandbox/i);
  });
});
