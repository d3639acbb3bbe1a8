import type { EntityManager, EntityTarget, QueryDeepPartialEntity } from 'typeorm';

/** Stores a new row, and fills in what the database decides. `save` would first ask whether the row is there. */
export async function insertRow<Row extends object>(manager: EntityManager, row: Row): Promise<Row> {
  await manager.insert(row.constructor as EntityTarget<Row>, row as QueryDeepPartialEntity<Row>);
  return row;
}
