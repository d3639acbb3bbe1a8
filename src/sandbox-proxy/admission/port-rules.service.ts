import { Inject, Injectable, Optional } from '@nestjs/common';
import { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, topicOf } from '../contracts/changes.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import { type PortRules, PortSettings } from '../contracts/port-settings.js';
import type { SessionPlace } from '../contracts/session-store.js';
import { AnswerCache } from '../memory/answer-cache.js';
import { MemoryAnswers } from '../memory/memory-answers.js';
import { LookupTurns } from './lookup-turns.js';
import { StrangerBudget } from './stranger-budget.js';

const TTL_MS = 120_000;
const MAX_PORTS = 10_000;
/** Most questions about ports under way at a time. */
const MAX_FLIGHTS = 20_000;

/** The settings that teams have made for their ports: from memory, or by one question. */
@Injectable()
export class PortRulesService {
  /** By `{sandboxId} {port}`. */
  private readonly ports: AnswerCache<PortRules>;
  private readonly turns = new LookupTurns('for ports that are not in memory');

  constructor(
    @Optional() @Inject(PortSettings) private readonly settings: PortSettings | null,
    feed: ChangeFeed,
    private readonly strangers: StrangerBudget,
  ) {
    this.ports = new AnswerCache({
      memory: new MemoryAnswers(MAX_PORTS, topicsOfPort),
      feed,
      ttlMs: TTL_MS,
      maxFlights: MAX_FLIGHTS,
      isAnswer: isPortRules,
    });
  }

  /** True where the application has no settings of ports. */
  get isOff(): boolean {
    return this.settings === null;
  }

  /**
   * For a client that is admitted. Null if nothing is set for the port, as for most ports, which is remembered as long as
   * settings are. The sandbox need not exist, so the questions of a team wait for their turn.
   *
   * @throws DirectoryUnavailableError, also as a rejection
   */
  find(sandboxId: string, port: number, teamId: string): MaybePromise<PortRules | null> {
    const { settings } = this;
    if (settings === null) return null;
    const key = `${sandboxId} ${port}`;
    const known = this.ports.recall(key, true);
    if (known !== undefined) return known;
    const ask = () => this.turns.take(teamId, () => settings.find(sandboxId, port));
    return this.ports.get(key, ask, undefined, true);
  }

  /** The same for a client without a credential that admits. @throws TooManyLookupsError too */
  findForStranger(sandboxId: string, port: number, client: string): MaybePromise<PortRules | null> {
    const { settings } = this;
    if (settings === null) return null;
    return this.ports.get(
      `${sandboxId} ${port}`,
      () => this.strangers.ask(client, () => settings.find(sandboxId, port)),
      () => this.strangers.reserve(client),
    );
  }

  /** Which of these are still public; always asks the store. @throws TypeError for an answer of another shape */
  async arePublic(places: readonly SessionPlace[]): Promise<boolean[]> {
    return (await this.findAll(places)).map((rules) => rules?.visibility === 'public');
  }

  /** The settings of all these; always asks the store. @throws TypeError for an answer of another shape */
  async findAll(places: readonly SessionPlace[]): Promise<readonly (PortRules | null)[]> {
    const { settings } = this;
    if (settings === null) return places.map(() => null);
    const found = await settings.findMany(places);
    if (!Array.isArray(found) || found.length !== places.length || !found.every(isPortRulesOrNull))
      throw new TypeError('findMany gave no rules for each port');
    return found;
  }

  /** Forgets what a change concerns. */
  forget(change: Change): void {
    this.ports.forget(change);
  }
}

function topicsOfPort(key: string, rules: PortRules | null): string[] {
  const [sandboxId = '', port = ''] = key.split(' ');
  const topics = [
    topicOf({ kind: 'port', sandboxId, port: Number(port) }),
    topicOf({ kind: 'sandbox', sandboxId }),
  ];
  if (rules !== null) topics.push(topicOf({ kind: 'team', teamId: rules.teamId }));
  return topics;
}

function isPortRulesOrNull(value: unknown): value is PortRules | null {
  return value === null || isPortRules(value);
}

function isPortRules(value: unknown): value is PortRules {
  if (typeof value !== 'object' || value === null) return false;
  const { teamId, visibility, cors, appHost } = value as Record<string, unknown>;
  return (
    typeof teamId === 'string' &&
    (visibility === 'private' || visibility === 'public') &&
    (cors === 'app' || (Array.isArray(cors) && cors.every((origin) => typeof origin === 'string'))) &&
    (appHost === undefined || appHost === 'local' || appHost === 'external')
  );
}
