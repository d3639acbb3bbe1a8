import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { isSameSecret } from '../identifiers/secret.js';
import { PlatformOptions } from '../platform.options.js';
import { noteAdmitted, UnauthorizedError } from '../../sandbox-proxy/index.js';

/** Lets a request in that has `Authorization: Bearer $ADMIN_TOKEN`. */
@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(private readonly options: PlatformOptions) {}

  /** @throws UnauthorizedError without the token, or with another. */
  canActivate(context: ExecutionContext): true {
    const { headers, socket } = context.switchToHttp().getRequest<Request>();
    const { authorization } = headers;
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined)
      throw new UnauthorizedError('Authorization: Bearer with the operator token required');
    if (!isSameSecret(token, this.options.adminToken)) throw new UnauthorizedError('invalid operator token');
    noteAdmitted(socket);
    return true;
  }
}
