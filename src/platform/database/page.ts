import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { Type } from 'class-transformer';
import { type FindOptionsOrder, type FindOptionsWhere, MoreThan, type Repository } from 'typeorm';
import { ValidationFailedError } from '../errors/request.errors.js';
import type { ResourceKind } from '../identifiers/resource-id.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';

/** `?limit=100&after=cl-…`: which part of a list to answer. */
export class PageQuery {
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000)
  limit: number = 100;

  /** `next` of the previous page. */
  @IsOptional()
  @IsString()
  after?: string;
}

/** A part of a list in a fixed order. `next` is the `after` of the following part, null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** How a list is read and shown. */
export interface PageSource<Row, Item> {
  /** At most `limit` rows after the position `after`, in the order of the list. */
  readonly read: (after: string, limit: number) => Promise<readonly Row[]>;
  readonly show: (row: Row) => Item;
  /** The position of a row, as `read` takes it. */
  readonly positionOf: (row: Row) => string;
  /** The same, as clients see it. */
  readonly cursorOf: (row: Row) => string;
}

/** Most characters of JSON in one page, unless its first item alone is longer. */
const MAX_PAGE_LENGTH = 1_000_000;
/** How many rows to read before their size is known. */
const FIRST_ROWS = 32;

/**
 * A page of `limit` items, or fewer if they are large: a page has about 1 MB at most, and no more than twice that is in
 * memory while it is made, whatever the size of the rows.
 *
 * @param first the position before the first row
 */
export async function readPage<Row, Item>(
  limit: number,
  first: string,
  { read, show, positionOf, cursorOf }: PageSource<Row, Item>,
): Promise<Page<Item>> {
  const items: Item[] = [];
  let last: Row | undefined;
  let length = 0;
  for (let wanted = Math.min(limit + 1, FIRST_ROWS); ;) {
    const rows = await read(last === undefined ? first : positionOf(last), wanted);
    for (const row of rows) {
      const item = show(row);
      length += JSON.stringify(item).length;
      const isFull = items.length === limit || length > MAX_PAGE_LENGTH;
      if (isFull && last !== undefined) return { items, next: cursorOf(last) };
      items.push(item);
      last = row;
    }
    if (rows.length < wanted) return { items, next: null };
    const fitting = Math.ceil(((MAX_PAGE_LENGTH - length) * items.length) / length);
    wanted = Math.max(1, Math.min(limit + 1 - items.length, fitting));
  }
}

/**
 * A page of rows in the order of their ids.
 *
 * @param where which rows of the repository
 * @throws ValidationFailedError when `after` is not an id of that kind
 */
export function readPageById<Row extends { id: string }, Item>(
  kind: ResourceKind,
  query: PageQuery,
  repository: Repository<Row>,
  where: FindOptionsWhere<Row>,
  show: (row: Row) => Item,
): Promise<Page<Item>> {
  const after = query.after === undefined ? NIL : decodeId(kind, query.after);
  if (after === null) throw new ValidationFailedError([`after must be an id like ${kind}-…`]);
  const read = (above: string, take: number): Promise<Row[]> =>
    repository.find({
      where: { ...where, id: MoreThan(above) },
      order: { id: 'ASC' } as FindOptionsOrder<Row>,
      take,
    });
  const cursorOf = ({ id }: Row): string => encodeId(kind, id);
  return readPage(query.limit, after, { read, show, positionOf: ({ id }) => id, cursorOf });
}

/** Below the UUID of any row. */
const NIL = '00000000-0000-0000-0000-000000000000';
