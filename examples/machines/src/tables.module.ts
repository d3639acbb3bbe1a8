import { Module } from '@nestjs/common';
import { Settings } from './settings.js';
import { Tables } from './tables.js';

@Module({ providers: [Settings, Tables], exports: [Settings, Tables] })
export class TablesModule {}
