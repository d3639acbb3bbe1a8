import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectNestLog } from '../../../test/kit/collecting-logger.js';
import { encodeId } from '../identifiers/resource-id.js';
import { LastUsedRecorder } from './last-used.recorder.js';

const [UUID_A, UUID_B] = ['0f8fad5b-d9cb-469f-a165-70867728950e', '7c9e6679-7425-40de-944b-e07fc1f90ae7'];
const [A, B] = [encodeId('key', UUID_A), encodeId('key', UUID_B)];

/** A table that notes what is written, or fails. */
class FakeTable {
  readonly recorded: string[][] = [];
  failure: Error | null = null;

  async query(_sql: string, [keyIds]: [string[]]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.recorded.push(keyIds);
  }
}

const log = collectNestLog();
let table: FakeTable;
let recorder: LastUsedRecorder;

function start(isRecorded = true): void {
  const options = { isRecorded, clock: () => performance.now() };
  recorder = new LastUsedRecorder(table as unknown as DataSource, options);
}

beforeEach(() => {
  vi.useFakeTimers();
  table = new FakeTable();
  start();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('last_used', () => {
  it('is written once a minute per key, together, a second after the first', async () => {
    for (const key of [A, B, A]) recorder.note(key);
    await vi.advanceTimersByTimeAsync(999);
    expect(table.recorded).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(table.recorded).toEqual([[UUID_A, UUID_B]]);
    await vi.advanceTimersByTimeAsync(58_999);
    recorder.note(A);
    await recorder.flush();
    expect(table.recorded).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    recorder.note(A);
    await recorder.beforeApplicationShutdown();
    expect(table.recorded).toEqual([[UUID_A, UUID_B], [UUID_A]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not written at all on a database that is only read', async () => {
    start(false);
    recorder.note(A);
    await recorder.flush();
    expect([table.recorded, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('does not fail the request or the flush when the write fails, and says so once', async () => {
    recorder.note(A);
    table.failure = new Error('read-only');
    await expect(recorder.flush()).resolves.toBeUndefined();
    expect(log.lines).toEqual(['warn: last_used of 1 API keys was not recorded: Error: read-only']);
  });
});
