import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/machines/src');

test('what the page shows of the example is in the example', () => {
  const page = readFileSync(join(ROOT, 'docs/in-another-application.md'), 'utf8');
  const shown = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);
  const declarations = shown.filter((code) => /^export (class|function) /m.test(code));
  const sources = readdirSync(EXAMPLE).map((file) => readFileSync(join(EXAMPLE, file), 'utf8'));
  expect(declarations).toHaveLength(4);
  for (const code of declarations) expect(sources.some((source) => source.includes(code))).toBe(true);
});
