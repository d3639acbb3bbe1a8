import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canEnter } from './embedded-postgres-home.js';

describe('canEnter', () => {
  let outer: string;
  let inner: string;
  const stranger = { uid: 4_000_001, gid: 4_000_001 };

  beforeEach(() => {
    outer = realpathSync(mkdtempSync(join(tmpdir(), 'can-enter-')));
    inner = join(outer, 'inner');
    mkdirSync(inner);
    chmodSync(inner, 0o755);
  });

  afterEach(() => rmSync(outer, { recursive: true }));

  it.each([
    { mode: 0o755, expected: true },
    { mode: 0o711, expected: true },
    { mode: 0o750, expected: false },
    { mode: 0o700, expected: false },
    { mode: 0o744, expected: false },
  ])('answers $expected for a stranger below a directory of mode $mode', ({ mode, expected }) => {
    chmodSync(outer, mode);
    expect(canEnter(inner, stranger)).toBe(expected);
  });

  it('counts what the owner may for the owner, and what the group may for the group', () => {
    const { uid, gid } = statSync(outer);
    chmodSync(outer, 0o700);
    expect(canEnter(inner, { uid, gid })).toBe(true);
    expect(canEnter(inner, { uid: stranger.uid, gid })).toBe(false);
    chmodSync(outer, 0o710);
    expect(canEnter(inner, { uid: stranger.uid, gid })).toBe(true);
  });
});
