import { expect, it } from 'vitest';
import { type Change, topicOf } from './changes.js';

it('gives each thing that may change a topic of its own', () => {
  const changes: Change[] = [
    { kind: 'sandbox', sandboxId: 'x' },
    { kind: 'team', teamId: 'x' },
    { kind: 'host', hostId: 'x' },
    { kind: 'port', sandboxId: 'x', port: 80 },
    { kind: 'port', sandboxId: 'x', port: 81 },
    { kind: 'port', sandboxId: 'y', port: 80 },
    { kind: 'credential', scheme: 'x', subject: 'y' },
    { kind: 'credential', scheme: 'y', subject: 'x' },
    { kind: 'everything' },
  ];
  expect(new Set(changes.map(topicOf)).size).toBe(changes.length);
  for (const change of changes) expect(topicOf({ ...change })).toBe(topicOf(change));
});
