import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiKeyRepository, type StoredKey } from '../src/api-keys/api-key.repository.js';
import { hashApiKey } from '../src/identifiers/api-key.js';
import { SessionRepository } from '../src/links/session.repository.js';
import { BrowserStage } from './support/browser-stage.js';

// The feed tells of a new key and a new sandbox too, and may do so after the first request that it let in has begun.

/** Longer than it takes to cut what is to be cut, milliseconds. */
const CUT_MS = 250;

const OK = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

let isLost = false;

/** The real repositories, until the database is lost. */
@Injectable()
class LosableKeys extends ApiKeyRepository {
  override async isUnchanged(key: StoredKey): Promise<boolean> {
    if (isLost) throw new Error('lost');
    return super.isUnchanged(key);
  }
}

@Injectable()
class LosableSessions extends SessionRepository {
  override async remaining(ids: readonly string[]): Promise<Set<string>> {
    if (isLost) throw new Error('lost');
    return super.remaining(ids);
  }
}

const stage = new BrowserStage({
  override: (builder) =>
    builder
      .overrideProvider(ApiKeyRepository)
      .useClass(LosableKeys)
      .overrideProvider(SessionRepository)
      .useClass(LosableSessions),
});
afterEach(() => {
  isLost = false;
});

/** The feed's own words, in a transaction of their own: as they come when its channel is behind. */
async function hear(change: Readonly<Record<string, string>>): Promise<void> {
  await stage.told(() =>
    stage.started.db.query(`SELECT pg_notify('sandbox_proxy_changes', $1)`, [JSON.stringify(change)]),
  );
  await sleep(CUT_MS);
}

function newsOfKey(key: string): Promise<void> {
  const { id, keyId } = stage.team;
  return hear({ table: 'team_api_keys', id: keyId, teamId: id, keyHash: hashApiKey(key) });
}

function newsOfSandbox(): Promise<void> {
  return hear({ table: 'sandboxes', id: stage.sandbox.uuid, teamId: stage.team.id });
}

describe('news of something that is as it was', () => {
  it('does not cut what its key has open', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    await newsOfKey(stage.team.key);
    upstream.send(OK);
    expect((await stage.answerOn(client)).status).toBe(200);
  });

  it('does not cut what a session has open at its sandbox', async () => {
    const cookie = await stage.session(await stage.link());
    const { client, upstream } = await stage.begin(stage.withCookie(cookie));
    await newsOfSandbox();
    upstream.send(OK);
    expect((await stage.answerOn(client)).status).toBe(200);
  });
});

describe('news of a key that was another', () => {
  it('cuts what the old one has open', async () => {
    const { client } = await stage.begin(stage.head('GET', '/'));
    await newsOfKey('an earlier key');
    expect((await stage.answerOn(client)).status).toBe(401);
  });
});

describe('news of what the database cannot tell more about', () => {
  it('cuts what the key has open', async () => {
    const { client } = await stage.begin(stage.head('GET', '/'));
    isLost = true;
    await newsOfKey(stage.team.key);
    expect((await stage.answerOn(client)).status).toBe(401);
  });

  it('cuts what a session has open', async () => {
    const cookie = await stage.session(await stage.link());
    const { client } = await stage.begin(stage.withCookie(cookie));
    isLost = true;
    await newsOfSandbox();
    expect((await stage.answerOn(client)).status).toBe(401);
  });
});
