import { describe, expect, it } from 'vitest';
import { withoutAgentPrefix } from './location.js';

const PREFIX = '/proxy/cl-x/3000';
const AGENT = '10.0.0.7:5000';

describe('a Location', () => {
  it.each([
    [`${PREFIX}/login?next=/a#b`, '/login?next=/a#b'],
    [`${PREFIX}/`, '/'],
    [PREFIX, '/'],
    [`${PREFIX}?a=1`, '/?a=1'],
    [`${PREFIX}#top`, '/#top'],
    [`${PREFIX}//cdn.example/x`, '//cdn.example/x'],
    [`http://${AGENT}${PREFIX}/x`, '/x'],
    [`HTTPS://${AGENT}${PREFIX}`, '/'],
    [`http://${AGENT.toUpperCase()}${PREFIX}/x`, '/x'],
  ])("loses the agent's prefix and nothing else: %s -> %s", (from, to) => {
    expect(withoutAgentPrefix(from, PREFIX, AGENT)).toBe(to);
  });

  it.each([
    '/login',
    'login',
    '../x',
    '?a',
    '#x',
    '',
    '//evil.example/x',
    `https://example.com${PREFIX}/x`,
    `http://${AGENT}.example.com${PREFIX}/x`,
    `http://user@${AGENT}${PREFIX}/x`,
    `http://${AGENT}/elsewhere`,
    `${PREFIX}0/x`,
    `${PREFIX}.evil`,
    `/proxy/cl-y/3000/x`,
    `/a${PREFIX}/x`,
    `//x${PREFIX}/x`,
    `javascript:alert(1)`,
    `\u00e9`,
  ])('%s stays as the app wrote it', (location) => {
    expect(withoutAgentPrefix(location, PREFIX, AGENT)).toBe(location);
  });
});
