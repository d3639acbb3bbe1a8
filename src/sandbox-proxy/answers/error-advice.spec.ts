import { describe, expect, it } from 'vitest';
import { PROXY_ERROR_STATUS, type ProxyErrorCode, PROXY_RETRY_AFTER_SECONDS } from '../error-status.js';
import { AGENT_ERROR_STATUS } from '../../demo/local-agent/agent-error.js';
import { SANDBOX_STATUSES } from '../../platform/sandboxes/sandbox.entity.js';
import { adviceFor, agentAdvice } from './error-advice.js';

const CODES = Object.keys(PROXY_ERROR_STATUS) as ProxyErrorCode[];
const ENDS = ['expired', 'revoked', 'used', 'paused', 'replaced'];
const STOPPED = SANDBOX_STATUSES.filter((status) => status !== 'running');

describe('the advice for an error', () => {
  it('has a heading and whole sentences for every code and every status of a sandbox', () => {
    const all = [
      ...CODES.map((code) => adviceFor(code, {})),
      ...STOPPED.map((status) => adviceFor('sandbox_not_running', { status })),
      ...ENDS.map((reason) => adviceFor('session_ended', { reason })),
    ];
    for (const { title, advice } of all) {
      expect(title).toMatch(/^[A-Z].*[^.]$/);
      expect(advice).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('tries again where waiting helps, and nowhere else', () => {
    expect(CODES.filter((code) => adviceFor(code, {}).retrySeconds !== undefined)).toEqual([
      'limit_exceeded',
      'sandbox_busy',
      'proxy_busy',
      'host_unavailable',
      'directory_unavailable',
      'upstream_unreachable',
      'shutting_down',
    ]);
    expect(
      STOPPED.filter((status) => adviceFor('sandbox_not_running', { status }).retrySeconds !== undefined),
    ).toEqual(['pending', 'starting']);
  });

  it.each(CODES)('never tries again before Retry-After allows it: %s', (code) => {
    const { retrySeconds = Infinity } = adviceFor(code, {});
    expect(retrySeconds).toBeGreaterThanOrEqual(PROXY_RETRY_AFTER_SECONDS[code] ?? 1);
  });

  it('says of a sandbox in which way it does not run', () => {
    const titles = STOPPED.map((status) => adviceFor('sandbox_not_running', { status }).title);
    expect(new Set(titles).size).toBe(STOPPED.length);
    expect(adviceFor('sandbox_not_running', { status: 'paused' }).title).toBe('The sandbox is paused');
  });

  it.each(['constructor', '__proto__', 'running', '<script>', 7, ['paused']])(
    'knows nothing of the status %j, and says so in general',
    (status) => {
      const { title } = adviceFor('sandbox_not_running', { status });
      expect(title).toBe('The sandbox is not running');
    },
  );

  it('reads the status of a sandbox that does not run alone', () => {
    expect(adviceFor('unauthorized', { status: 'paused' })).toBe(adviceFor('unauthorized', {}));
  });

  it('says of a session in which way it has ended', () => {
    const titles = ENDS.map((reason) => adviceFor('session_ended', { reason }).title);
    expect(new Set(titles).size).toBe(ENDS.length);
    expect(adviceFor('session_ended', { reason: 'toString' })).toBe(adviceFor('session_ended', {}));
    expect(adviceFor('unauthorized', { reason: 'used' })).toBe(adviceFor('unauthorized', {}));
  });

  it('is the same for a sandbox that is not there and for one of another team', () => {
    expect(adviceFor('sandbox_not_found', {}).advice).toMatch(/deleted, or it belongs to a team other than/);
  });
});

describe("the advice for an agent's own error", () => {
  it.each(Object.entries(AGENT_ERROR_STATUS))('has words of its own for %s', (code, status) => {
    const unknown = agentAdvice('no_such_code', status, 3000);
    expect(agentAdvice(code, status, 3000).title).not.toBe(unknown.title);
  });

  it('names the port on which the app has to be started, and tries again', () => {
    const { title, advice, retrySeconds } = agentAdvice('app_unreachable', 502, 5173);
    expect(title).toBe('Nothing answers on port 5173');
    expect(advice).toContain('Start your server on port 5173');
    expect(retrySeconds).toBe(5);
  });

  it.each([
    [502, 5],
    [503, 5],
    [504, undefined],
    [500, undefined],
    [404, undefined],
  ])('of an unknown code with status %i: tries again after %s s', (status, seconds) => {
    expect(agentAdvice('sandbox_not_here', status, 80).retrySeconds).toBe(seconds);
  });
});
