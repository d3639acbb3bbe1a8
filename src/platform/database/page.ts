import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { Type } from 'class-transformer';
import type { ResourceKind } from '../identifiers/resource-id.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';
import { ValidationFailedError } from '../errors/request.errors.js';

/** `?limit=100&after=cl-…`: which part of a list is wanted. */
export class PageQuery {
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000)
  limit: number = 100;

  /** `next` of the page before. */
  @IsOptional()
  @IsString()
  after?: string;
}

/** A part of a list in the order of ids; `next` is the `after` of the following part, null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/**
 * Reads one row more than wanted to know whether there are more.
 *
 * @param read rows with an id above `after` (a UUID), in the order of ids, `limit` at most
 * @throws ValidationFailedError when `after` is not an id of that kind
 */
export async function readPage<Row extends { id: string }, Item>(
  kind: ResourceKind,
  query: PageQuery,
  read: (after: string, limit: number) => Promise<Row[]>,
  show: (row: Row) => Item,
): Promise<Page<Item>> {
  const after = query.after === undefined ? NIL : decodeId(kind, query.after);
  if (after === null) throw new ValidationFailedError([`after must be an id like ${kind}-…`]);
  const rows = await read(after, query.limit + 1);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const next = rows.length > shown.length && last !== undefined ? encodeId(kind, last.id) : null;
  return { items: shown.map(show), next };
}

/** Below every UUID that is given to a row. */
const NIL = '00000000-0000-0000-0000-000000000000';
