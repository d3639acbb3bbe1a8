import { Module } from '@nestjs/common';
import { ConsoleController } from './console.controller.js';

/** The console, a page for people at `/`: a team's sandboxes, their ports and their preview links. */
@Module({ controllers: [ConsoleController] })
export class ConsoleModule {}
