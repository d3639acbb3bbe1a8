import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Settings } from './settings.js';

/** On every HTTP route of the application. Requests to sandboxes never come this far. */
@Injectable()
export class StaffGuard implements CanActivate {
  constructor(private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    return headers['x-staff-password'] === this.settings.staffPassword;
  }
}
