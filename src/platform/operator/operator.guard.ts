import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { noteAdmitted } from '../../sandbox-proxy/index.js';
import { PlatformOptions } from '../platform.options.js';
import { CredentialError } from '../errors/request.errors.js';

/** Lets a request in that has `Authorization: Bearer $ADMIN_TOKEN`. */
@Injectable()
export class OperatorGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor({ adminToken }: PlatformOptions) {
    this.expected = digest(adminToken);
  }

  /** @throws CredentialError without the token, or with another. */
  canActivate(context: ExecutionContext): true {
    const { headers, socket } = context.switchToHttp().getRequest<Request>();
    const { authorization } = headers;
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined)
      throw new CredentialError('Authorization: Bearer with the operator token required');
    // digests all have the same length, so that comparing them reveals nothing about the length of the token
    if (!timingSafeEqual(digest(token), this.expected)) throw new CredentialError('invalid operator token');
    noteAdmitted(socket);
    return true;
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
