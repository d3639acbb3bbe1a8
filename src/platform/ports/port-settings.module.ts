import { Module } from '@nestjs/common';
import { PortSettingsService } from './port-settings.service.js';

/** `PortSettingsService`, which knows what a port's owner has said of it. */
@Module({ providers: [PortSettingsService], exports: [PortSettingsService] })
export class PortSettingsModule {}
