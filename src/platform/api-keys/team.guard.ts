import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ApiKeyService, noteAdmitted, Peers, UnauthorizedError } from '../../sandbox-proxy/index.js';
import { decodeId } from '../identifiers/resource-id.js';
import { TeamShare } from './team-share.js';

/** The team of each request that the guard has let in. */
const teamOf = new WeakMap<Request, string>();

/** Lets a request in that has a team's key in `X-API-Key`. */
@Injectable()
export class TeamGuard implements CanActivate {
  constructor(
    private readonly apiKeys: ApiKeyService,
    private readonly peers: Peers,
    private readonly share: TeamShare,
  ) {}

  /**
   * @throws UnauthorizedError without a key, or with an unknown one; TooManyLookupsError when too many unknown ones have
   *   come from the client's network; LimitExceededError when the team has too many requests under way;
   *   DirectoryUnavailableError
   */
  async canActivate(context: ExecutionContext): Promise<true> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const key = request.headers['x-api-key'];
    if (typeof key !== 'string') throw new UnauthorizedError('X-API-Key header required');
    const client = this.peers.clientOf(request, this.peers.of(request.socket));
    const admitted = await this.apiKeys.admit(key, client);
    const teamId = admitted === null ? null : decodeId('team', admitted.teamId);
    if (teamId === null) throw new UnauthorizedError('invalid API key');
    noteAdmitted(request.socket);
    this.share.enter(teamId, request, http.getResponse<Response>());
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
