import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Override {
  readonly files: readonly string[];
  readonly rules: Record<
    string,
    readonly [string, { readonly patterns: readonly { readonly regex: string }[] }]
  >;
}

/** `entrance/`, `handle-request.ts`, … as the table of rooms in docs/architecture.md has them, from the top. */
const ROOMS = [
  ...readFileSync('docs/architecture.md', 'utf8').matchAll(/^\| &nbsp;&nbsp;`([\w-]+(?:\/|\.ts))`/gm),
]
  .map(([, room]) => room as string)
  .filter((room) => room !== 'index.ts');
const { overrides } = JSON.parse(readFileSync('.oxlintrc.json', 'utf8')) as {
  overrides: readonly Override[];
};

/** Whether the linter refuses that import in a file of that room. */
function isRefused(room: string, specifier: string): boolean {
  const files = `src/sandbox-proxy/${room.endsWith('/') ? `${room}**/*.ts` : room}`;
  const override = overrides.findLast((one) => one.files.includes(files));
  const [, options] = override?.rules['no-restricted-imports'] ?? [];
  return options?.patterns.some(({ regex }) => new RegExp(regex).test(specifier)) ?? false;
}

it('the linter refuses the imports that go up in the table of rooms, and allows those that go down', () => {
  expect(ROOMS.length).toBeGreaterThan(10);
  const differing = ROOMS.flatMap((room, from) =>
    ROOMS.filter((other, to) => {
      const specifier = `${room.endsWith('/') ? '../' : './'}${other.endsWith('/') ? `${other}file.js` : other.replace('.ts', '.js')}`;
      return from !== to && isRefused(room, specifier) !== to < from;
    }).map((other) => `${room} -> ${other}`),
  );
  expect(differing).toEqual([]);
});
