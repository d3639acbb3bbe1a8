import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { newDirectory, Program, removeDirectory } from '../kit/program.js';

test('the control plane runs with what `npm ci --omit=dev` installs', { timeout: 120_000 }, async () => {
  const installed = inject('productionInstall');
  for (const name of ['typescript', '@nestjs/cli', 'vitest']) {
    expect(existsSync(join(installed, 'node_modules', name))).toBe(false);
  }
  const directory = newDirectory();
  const program = new Program(
    directory,
    { PORT: '0' },
    {
      main: join(installed, 'dist/src/main.js'),
    },
  );
  const url = await program.url();
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect(await program.end('SIGTERM')).toBe(0);
  removeDirectory(directory);
});
