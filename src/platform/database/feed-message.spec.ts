import { describe, expect, it } from 'vitest';
import { parseFeedMessage } from './feed-message.js';

describe('parseFeedMessage', () => {
  it.each([
    [{ table: 'sandboxes', id: 'a', teamId: 'b' }],
    [{ table: 'hosts', id: 'a' }],
    [{ table: 'team_api_keys', id: 'a', teamId: 'b', keyHash: 'c' }],
    [{ table: 'teams', id: 'a' }],
    [{ table: '*' }],
  ])('reads %j', (event) => {
    expect(parseFeedMessage(JSON.stringify({ ...event, further: 1 }))).toEqual(event);
  });

  it.each([
    undefined,
    '',
    'text',
    'null',
    '7',
    '[]',
    '{}',
    '{"table":"hosts"}',
    '{"table":"hosts","id":7}',
    '{"table":"sandboxes","id":"a"}',
    '{"table":"team_api_keys","id":"a","teamId":"b"}',
    '{"table":"other","id":"a","teamId":"b"}',
  ])('takes %j for a change of everything', (payload) => {
    expect(parseFeedMessage(payload)).toEqual({ table: '*' });
  });
});
