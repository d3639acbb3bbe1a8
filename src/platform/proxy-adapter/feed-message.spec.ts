import { describe, expect, it } from 'vitest';
import { readFeedMessage } from './feed-message.js';

const UUID = '00000000-0000-0000-0000-000000000024';
const BODY = '0000000000000000000000010';

describe('readFeedMessage', () => {
  it.each<[object, object]>([
    [
      { table: 'sandboxes', id: UUID, teamId: UUID },
      { kind: 'sandbox', sandboxId: `cl-${BODY}` },
    ],
    [
      { table: 'hosts', id: UUID },
      { kind: 'host', hostId: `host-${BODY}` },
    ],
    [
      { table: 'teams', id: UUID },
      { kind: 'team', teamId: `team-${BODY}` },
    ],
    [
      { table: 'team_api_keys', id: UUID, teamId: UUID, keyHash: 'abc' },
      { kind: 'credential', scheme: 'api-key', subject: 'abc' },
    ],
    [
      { table: 'sandbox_links', id: UUID, sandboxId: UUID },
      { kind: 'credential', scheme: 'session', subject: `link-${BODY}` },
    ],
    [
      { table: 'sandbox_sessions', id: UUID },
      { kind: 'credential', scheme: 'session', subject: `session-${BODY}` },
    ],
    [
      { table: 'sandbox_ports', sandboxId: UUID, port: 80 },
      { kind: 'port', sandboxId: `cl-${BODY}`, port: 80 },
    ],
    [{ table: '*' }, { kind: 'everything' }],
  ])('reads %j', (message, change) => {
    expect(readFeedMessage(JSON.stringify({ ...message, further: 1 }))).toEqual({ change });
  });

  it('tells the proof of a feed from a change', () => {
    expect(readFeedMessage('{"proof":"p"}')).toEqual({ proof: 'p' });
  });

  it.each([
    undefined,
    '',
    'text',
    'null',
    '7',
    '[]',
    '{}',
    '{"proof":7}',
    '{"table":"hosts"}',
    '{"table":"hosts","id":7}',
    '{"table":"hosts","id":"a"}',
    '{"table":"sandboxes","id":"a"}',
    '{"table":"team_api_keys","id":"a","teamId":"b"}',
    `{"table":"sandbox_ports","sandboxId":"${UUID}","port":"80"}`,
    '{"table":"sandbox_ports","sandboxId":"x","port":80}',
    `{"table":"other","id":"${UUID}"}`,
  ])('takes %j for a change of everything', (payload) => {
    expect(readFeedMessage(payload)).toEqual({ change: { kind: 'everything' } });
  });
});
