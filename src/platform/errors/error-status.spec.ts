import { describe, expect, it } from 'vitest';
import { ERROR_STATUS, RETRY_AFTER_SECONDS } from './error-status.js';

describe('the table of errors', () => {
  it('asks to come back later for every 503 and 429', () => {
    const unavailable = Object.entries(ERROR_STATUS).filter(([, status]) => status === 503 || status === 429);
    expect(Object.keys(RETRY_AFTER_SECONDS).toSorted()).toEqual(unavailable.map(([code]) => code).toSorted());
  });
});
