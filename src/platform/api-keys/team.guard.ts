import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import { type AdmittedKey, ApiKeyService } from '../../sandbox-proxy/index.js';
import { CredentialError, TooManyUnknownKeysError } from '../errors/request.errors.js';
import { hashApiKey } from '../identifiers/api-key.js';
import { decodeId } from '../identifiers/resource-id.js';
import { LookupTurns } from './lookup-turns.js';
import { UnknownKeyBudget } from './unknown-key-budget.js';

/** The team of each request that the guard has let in. */
const teamOf = new WeakMap<Request, string>();

const MAX_LET_IN = 10_000;

/** Lets a request in that has a team's key in `X-API-Key`. */
@Injectable()
export class TeamGuard implements CanActivate {
  /** Digests of keys that have let a request in, even if they no longer would: these need not wait for a turn. */
  private readonly letIn = new LRUCache<string, true>({ max: MAX_LET_IN });

  constructor(
    private readonly apiKeys: ApiKeyService,
    private readonly unknownKeys: UnknownKeyBudget,
    private readonly turns: LookupTurns,
  ) {}

  /**
   * @throws CredentialError without a key, or with an unknown one; TooManyUnknownKeysError when too many unknown ones
   *   have come from the client's address; DirectoryUnavailableError
   */
  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<Request>();
    const key = request.headers['x-api-key'];
    if (typeof key !== 'string') throw new CredentialError('X-API-Key header required');
    const address = request.socket.remoteAddress ?? '';
    const admitted = await this.find(key, address);
    const teamId = admitted === null ? null : decodeId('team', admitted.teamId);
    if (teamId === null) {
      if (!this.unknownKeys.spend(address)) throw new TooManyUnknownKeysError();
      throw new CredentialError('invalid API key');
    }
    teamOf.set(request, teamId);
    return true;
  }

  private async find(key: string, address: string): Promise<AdmittedKey | null> {
    if (!this.apiKeys.hasForm(key)) return null;
    const digest = hashApiKey(key);
    if (this.letIn.has(digest)) return this.apiKeys.findTeam(key);
    const admitted = await this.turns.take(address, () => this.apiKeys.findTeam(key));
    if (admitted !== null) this.letIn.set(digest, true);
    return admitted;
  }
}

/** The UUID of the team that `TeamGuard` let in. */
export const TeamId = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const teamId = teamOf.get(context.switchToHttp().getRequest<Request>());
  if (teamId === undefined) throw new TypeError('the route has no TeamGuard');
  return teamId;
});
