import { Module } from '@nestjs/common';
import { AccessTables } from './access-tables.js';

/** Supplies `AccessTables` to modules that read or write links, sessions and port settings. */
@Module({ providers: [AccessTables], exports: [AccessTables] })
export class AccessTablesModule {}
