import { expect, it } from 'vitest';
import { SandboxNotFoundError } from './errors.js';

it('an error that is answered has no stack, and leaves those of others alone', () => {
  expect(new SandboxNotFoundError().stack).not.toContain(' at ');
  expect(new Error('another').stack).toContain(' at ');
});
