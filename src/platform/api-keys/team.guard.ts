import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { ApiKeyService } from '../../sandbox-proxy/index.js';
import { CredentialError, TooManyUnknownKeysError } from '../errors/request.errors.js';
import { decodeId } from '../identifiers/resource-id.js';
import { UnknownKeyBudget } from './unknown-key-budget.js';

/** Set by the guard on the requests that it lets in. */
const teamOf = new WeakMap<Request, string>();

/** Lets in who shows a team's key as `X-API-Key`. */
@Injectable()
export class TeamGuard implements CanActivate {
  constructor(
    private readonly apiKeys: ApiKeyService,
    private readonly unknownKeys: UnknownKeyBudget,
  ) {}

  /**
   * @throws CredentialError without a key, or with an unknown one; TooManyUnknownKeysError where too many such have come
   *   from the client's address; DirectoryUnavailableError
   */
  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<Request>();
    const key = request.headers['x-api-key'];
    if (typeof key !== 'string') throw new CredentialError('X-API-Key header required');
    const admitted = await this.apiKeys.findTeam(key);
    const teamId = admitted === null ? null : decodeId('team', admitted.teamId);
    if (teamId === null) {
      if (!this.unknownKeys.spend(request.socket.remoteAddress ?? '')) throw new TooManyUnknownKeysError();
      throw new CredentialError('invalid API key');
    }
    teamOf.set(request, teamId);
    return true;
  }
}

/** The UUID of the team that `TeamGuard` let in. */
export const TeamId = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const teamId = teamOf.get(context.switchToHttp().getRequest<Request>());
  if (teamId === undefined) throw new TypeError('the route has no TeamGuard');
  return teamId;
});
