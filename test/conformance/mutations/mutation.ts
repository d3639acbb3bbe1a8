/** One small way to break the proxy on purpose, as text in the built program. */
export interface Mutation {
  readonly name: string;
  /** Below `dist/src`. */
  readonly file: string;
  /** What stands there exactly once, and what takes its place. */
  readonly edits: readonly (readonly [find: string, replace: string])[];
  /** Parts of the names of cases, comma-separated: at least one of these cases must fail. */
  readonly only: string;
}

/** Shortens the tables: name, file, find, replace, only. */
export type Row = readonly [name: string, file: string, find: string, replace: string, only: string];

export function fromRows(rows: readonly Row[]): Mutation[] {
  return rows.map(([name, file, find, replace, only]) => ({
    name,
    file: `sandbox-proxy/${file}.js`,
    edits: [[find, replace]],
    only,
  }));
}
