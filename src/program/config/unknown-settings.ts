/** Names that only differ so little from one of ours are taken for a mistake; short names are too much like others. */
const MAX_TYPOS = 2;
const SHORT_NAME = 4;

/**
 * Variables of the environment that look like a setting but are none, so that nobody reads them: `DATABSE_URL`,
 * `database_url`, `ADMIN_TOKEN_FILE`. One line for each, without its value.
 *
 * @param known the names of all settings
 */
export function unknownSettings(env: NodeJS.ProcessEnv, known: readonly string[]): string[] {
  const names = Object.keys(env).filter((name) => !known.includes(name) && env[name] !== '');
  return names.flatMap((name) => {
    const meant = known.find((setting) => isMeant(setting, name));
    return meant === undefined ? [] : [`${name} is not a setting, and is ignored: did you mean ${meant}?`];
  });
}

function isMeant(setting: string, name: string): boolean {
  const text = name.toUpperCase();
  // HOST_IP and PORT_RANGE may be anybody's
  const suffix = setting.includes('_') ? '_' : '_FILE';
  if (text.startsWith(setting + suffix)) return true;
  return typosBetween(setting, text) <= (setting.length <= SHORT_NAME ? 1 : MAX_TYPOS);
}

/** How many letters are missing, added, wrong or swapped with their neighbour (optimal string alignment distance). */
function typosBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_TYPOS) return Infinity;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? at(before, j - 2) + 1 : Infinity;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced, swapped));
    }
    [before, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
