import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import type { Recipe } from './recipe.js';

const PAGE = 'docs/apps.md';
const BEGIN = '<!-- written by npm run apps: begin -->';
const END = '<!-- written by npm run apps: end -->';
const HEAD = [
  'app',
  'version',
  'start command',
  'tried',
  'works directly',
  'works from outside',
  'what to know',
];

/** Whether an application worked, each way. */
export interface Outcome {
  readonly recipe: Recipe;
  readonly directly: boolean;
  readonly outside: boolean;
}

/** What to call the way from outside. */
const FROM_OUTSIDE = { link: 'by a link', public: 'at public ports', key: 'with the API key' } as const;

/** Writes the rows of what was run into the page; rows of other recipes stay as they are, those of no recipe go. */
export async function writeTable(outcomes: readonly Outcome[], recipes: readonly Recipe[]): Promise<void> {
  const page = readFileSync(PAGE, 'utf8');
  const before = rowsOf(page);
  const rows = recipes.flatMap((recipe) => {
    const outcome = outcomes.find((each) => each.recipe === recipe);
    const row = outcome === undefined ? before.get(recipe.title) : rowOf(outcome);
    return row === undefined ? [] : [row];
  });
  const table = [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const written = page.replace(between, () => `${BEGIN}\n\n${table}\n\n${END}`);
  const options = { ...(await resolveConfig(PAGE)), parser: 'markdown' };
  writeFileSync(PAGE, await format(written, options));
}

/** What the page says of a recipe otherwise than the recipe itself; null: nothing. */
export function difference(recipe: Recipe): string | null {
  const is = rowsOf(readFileSync(PAGE, 'utf8')).get(recipe.title);
  if (is === undefined) return `${PAGE} has no row "${recipe.title}": npm run apps -- --only ${recipe.name}`;
  const should = rowOf({ recipe, directly: true, outside: true });
  return is.join() === should.join() ? null : `${PAGE} has "${is.join(' | ')}"`;
}

const between = new RegExp(`${BEGIN}[^]*${END}`);

/** Title -> cells. */
function rowsOf(page: string): Map<string, string[]> {
  const lines = (between.exec(page)?.[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(cells.slice(2).map((row) => [row[0] ?? '', row]));
}

function rowOf({ recipe, directly, outside }: Outcome): string[] {
  const { title, version, start, tried, access = 'link', note = '' } = recipe;
  const way = FROM_OUTSIDE[access];
  const cells = [
    title,
    version,
    `\`${start}\``,
    tried,
    directly ? 'yes' : 'no',
    outside ? `yes, ${way}` : `no, ${way}`,
    note,
  ];
  return cells.map((cell) => cell.replaceAll('|', '\\|'));
}
