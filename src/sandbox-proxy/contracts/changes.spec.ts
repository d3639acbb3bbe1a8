import { expect, it } from 'vitest';
import { type Change, isChange, topicOf } from './changes.js';

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

it('tells a change from what is none', () => {
  const told: [unknown, boolean][] = [
    [{ kind: 'sandbox', sandboxId: 'x' }, true],
    [{ kind: 'team', teamId: 'x' }, true],
    [{ kind: 'host', hostId: 'x' }, true],
    [{ kind: 'port', sandboxId: 'x', port: 80 }, true],
    [{ kind: 'credential', scheme: 'x', subject: 'y', further: 1 }, true],
    [{ kind: 'everything' }, true],
    [{ kind: 'port', sandboxId: 'x', port: '80' }, false],
    [{ kind: 'credential', subject: 'y' }, false],
    [{ kind: 'host', hostId: null }, false],
    [{ kind: 'toString' }, false],
    [{ kind: 7 }, false],
    [{}, false],
    [null, false],
    ['everything', false],
  ];
  expect(told.map(([change]) => isChange(change))).toEqual(told.map(([, isOne]) => isOne));
});
