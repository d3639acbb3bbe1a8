import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { CredentialText } from '../headers/credential-text.js';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from '../options.js';
import { newRequestId, requestIdOf } from './request-ids.js';

const KEY = `wrn_${'0'.repeat(32)}`;
const credentials = new CredentialText([/wrn_[0-9a-f]{32}/]);

function idOf(
  given: string | undefined,
  isTrusted: boolean,
  more: Partial<SandboxProxyOptions> = {},
): string {
  const request = { headers: { 'x-request-id': given } } as unknown as IncomingMessage;
  return requestIdOf(request, isTrusted, { ...SANDBOX_PROXY_DEFAULTS, ...more }, credentials);
}

it('makes ids of 128 bits, no two alike, also beyond one batch', () => {
  const ids = Array.from({ length: 1_000 }, () => newRequestId());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(ids).size).toBe(1_000);
});

describe('the id of a request', () => {
  it.each(['a', 'A.b_c-9', 'x'.repeat(64)])("is a trusted proxy's: %s", (given) => {
    expect(idOf(given, true)).toBe(given);
  });

  it('is a new one where the peer is not trusted', () => {
    expect(idOf('theirs', false)).toMatch(/^[0-9a-f]{32}$/);
  });

  // It goes into log lines, headers and pages: nothing in it may end a line or hold a key.
  it.each([undefined, '', 'x'.repeat(65), 'a b', 'a\n', '<i>', 'a,b', 'é', KEY])(
    'is a new one where what was given is none: %j',
    (given) => {
      expect(idOf(given, true)).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  it('is what the application says, whoever the peer is', () => {
    expect(idOf('theirs', false, { requestIdOf: (_request, isTrusted) => `app-${isTrusted}` })).toBe(
      'app-false',
    );
    expect(idOf('theirs', true, { requestIdOf: () => null })).toMatch(/^[0-9a-f]{32}$/);
  });
});
