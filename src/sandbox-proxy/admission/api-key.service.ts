import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type AdmittedKey, ApiKeyStore, type KeyInUse } from '../contracts/api-key-store.js';
import { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, topicOf } from '../contracts/changes.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';
import { AnswerCache, answerInTime } from '../memory/answer-cache.js';
import { LookupBudget } from '../memory/lookup-budget.js';
import { MemoryAnswers } from '../memory/memory-answers.js';
import { RepeatedLines } from '../memory/repeated-lines.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { LookupTurns } from './lookup-turns.js';
import { networkOf } from './stranger-budget.js';
import { wholeText } from './whole-text.js';

const WITH_UNKNOWN_KEYS = 'with unknown API keys';

/** The name of the scheme, also in changes. */
export const API_KEY_SCHEME = 'api-key';
/** Most questions about keys under way at a time. */
const MAX_FLIGHTS = 10_000;
/** How many unknown keys of one client network are called unknown; further ones are told to wait. */
const ALLOWANCE = { burst: 200, perSecond: 10 };

/** Knows whom an API key admits, for the proxy and for guards of the application's own routes. */
@Injectable()
export class ApiKeyService {
  private readonly logger = new Logger('SandboxProxy');
  private readonly failures = new RepeatedLines();
  /** By digest. */
  private readonly keys: AnswerCache<KeyInUse>;
  /** From key to digest, for keys that have admitted: hashing would take longer than everything else done with a key. */
  private readonly digests: LRUCache<string, string>;
  private readonly turns = new LookupTurns(WITH_UNKNOWN_KEYS);
  private readonly unknown = new LookupBudget(() => performance.now(), ALLOWANCE);
  private lastKey: string | null = null;
  private lastDigest = '';
  private readonly form: RegExp;

  constructor(
    private readonly store: ApiKeyStore,
    feed: ChangeFeed,
    @Inject(SANDBOX_PROXY_OPTIONS) { apiKeyCacheTtlMs, apiKeyCacheMax }: SandboxProxyOptions,
  ) {
    this.form = wholeText(store.pattern);
    this.digests = new LRUCache({ max: apiKeyCacheMax });
    this.keys = new AnswerCache({
      memory: new MemoryAnswers(apiKeyCacheMax, topicsOfKey),
      feed,
      ttlMs: apiKeyCacheTtlMs,
      maxFlights: MAX_FLIGHTS,
      isAnswer: isKeyInUse,
    });
  }

  /** True for a text with the form of a key, whether or not there is such a key. */
  hasForm(text: string): boolean {
    return text === this.lastKey || this.form.test(text);
  }

  /**
   * Whom the key admits, or null. Without a promise if memory has the answer.
   *
   * @param client IP address of whoever shows the key, as far as is known: keys that have not admitted anyone before are
   *   looked up a few at a time for each client network. Absent: whoever asks can be trusted not to make keys up.
   * @throws DirectoryUnavailableError (also as a rejection) when the store cannot say; that is not remembered
   * @throws TooManyLookupsError (as a rejection) for an unknown key, when too many have come from the client's network
   */
  findTeam(key: string, client?: string): MaybePromise<KeyInUse | null> {
    const known = key === this.lastKey ? this.lastDigest : this.digests.get(key);
    if (known === undefined && !this.form.test(key)) return null;
    const digest = known ?? this.digestOf(key);
    if (known === undefined && client !== undefined) return this.findUnproven(key, digest, client);
    return whenReady(
      this.keys.get(digest, () => this.ask(digest)),
      (admitted) => this.used(key, admitted),
    );
  }

  /**
   * Like `findTeam`, for guards of the application's own routes. If a change that the answer rests on was told while the store
   * was being asked, it is asked again, as the proxy does before it relays a request.
   */
  async admit(key: string, client?: string): Promise<KeyInUse | null> {
    const isOutdated = this.keys.watch();
    const admitted = await this.findTeam(key, client);
    if (admitted === null || !isOutdated(admitted.digest, admitted)) return admitted;
    try {
      const [holds] = await answerInTime(() => this.stillHold([admitted]));
      return holds === true ? admitted : null;
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    }
  }

  /** Which of these still admit the same team; always asks the store. */
  stillHold(keys: readonly KeyInUse[]): Promise<readonly boolean[]> {
    return this.store.stillHold(keys);
  }

  /** Forgets what a change concerns. */
  forget(change: Change): void {
    this.keys.forget(change);
  }

  /** Only a key that the store has been asked about, and that does not exist, counts against the client. */
  private async findUnproven(key: string, digest: string, client: string): Promise<KeyInUse | null> {
    let wasAsked = false;
    const ask = (): Promise<KeyInUse | null> => {
      wasAsked = true;
      return this.ask(digest);
    };
    const admitted = await this.turns.take(networkOf(client), () => this.keys.get(digest, ask));
    if (admitted === null && wasAsked && !this.unknown.reserve(networkOf(client)))
      throw new TooManyLookupsError(WITH_UNKNOWN_KEYS);
    return this.used(key, admitted);
  }

  private digestOf(key: string): string {
    let digest: unknown;
    try {
      digest = this.store.digest(key);
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    }
    if (typeof digest === 'string' && digest !== '') return digest;
    throw new DirectoryUnavailableError(new TypeError('ApiKeyStore.digest() gave no text'));
  }

  private async ask(digest: string): Promise<KeyInUse | null> {
    const found: AdmittedKey | null = await this.store.find(digest);
    return found === null ? null : { keyId: found.keyId, teamId: found.teamId, digest };
  }

  private used(key: string, admitted: KeyInUse | null): KeyInUse | null {
    if (admitted === null) return null;
    if (key !== this.lastKey) {
      this.digests.set(key, admitted.digest);
      this.lastKey = key;
      this.lastDigest = admitted.digest;
    }
    this.noteUse(admitted.keyId);
    return admitted;
  }

  /** If a use cannot be noted, the request is admitted all the same. */
  private noteUse(keyId: string): void {
    try {
      const noted: unknown = this.store.noteUse?.(keyId);
      if (noted instanceof Promise) noted.catch((error: unknown) => this.noteFailed(error));
    } catch (error) {
      this.noteFailed(error);
    }
  }

  private noteFailed(error: unknown): void {
    if (this.failures.pass() === null) return;
    this.logger.warn(`the use of an API key was not noted (${String(error)})`);
  }
}

/** The change that a key's admission rests on. */
export function changeOfKey(digest: string): Change {
  return { kind: 'credential', scheme: API_KEY_SCHEME, subject: digest };
}

function topicsOfKey(digest: string, key: KeyInUse | null): string[] {
  const own = topicOf(changeOfKey(digest));
  return key === null ? [own] : [own, topicOf({ kind: 'team', teamId: key.teamId })];
}

function isKeyInUse(value: unknown): value is KeyInUse {
  if (typeof value !== 'object' || value === null) return false;
  const { keyId, teamId } = value as Record<string, unknown>;
  return typeof keyId === 'string' && typeof teamId === 'string';
}
