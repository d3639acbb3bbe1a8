import { Module } from '@nestjs/common';
import { AccessTables } from './access-tables.js';

/** `AccessTables`, for whatever reads or writes links, sessions and port settings. */
@Module({ providers: [AccessTables], exports: [AccessTables] })
export class AccessTablesModule {}
