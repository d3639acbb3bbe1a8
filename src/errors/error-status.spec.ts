import { describe, expect, it } from 'vitest';
import { ERROR_STATUS, RETRY_AFTER_SECONDS } from './error-status.js';

describe('the table of errors', () => {
  it('asks to come back later for every 503', () => {
    const unavailable = Object.entries(ERROR_STATUS).filter(([, status]) => status === 503);
    expect(Object.keys(RETRY_AFTER_SECONDS).toSorted()).toEqual(unavailable.map(([code]) => code).toSorted());
  });
});
