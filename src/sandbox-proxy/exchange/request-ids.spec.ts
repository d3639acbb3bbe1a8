import { expect, it } from 'vitest';
import { newRequestId } from './request-ids.js';

it('makes ids of 128 bits, no two alike, also beyond one batch', () => {
  const ids = Array.from({ length: 1_000 }, () => newRequestId());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(ids).size).toBe(1_000);
});
