import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { generateApiKey, hashApiKey } from '../src/platform/identifiers/api-key.js';
import { PlatformApiKeyStore } from '../src/platform/proxy-adapter/platform-api-keys.js';
import { PlatformSessionStore } from '../src/platform/proxy-adapter/platform-sessions.js';
import type { AdmittedKey, KeyInUse, Session, SessionEnd } from '../src/sandbox-proxy/index.js';
import { BrowserStage } from './kit/browser-stage.js';
import { DOORS, type Door, UPGRADE_LINES } from './kit/proxy-stage.js';

// The feed tells of a new key and a new sandbox too, and may do so after the first request that it let in has begun.

/** Longer than it takes to cut what is to be cut, milliseconds. */
const CUT_MS = 250;

const OK = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

let isLost = false;
/** Holds the answer back which sessions remain. */
let gate: Promise<unknown> = Promise.resolve();

/** The real stores, until the database is lost. */
@Injectable()
class LosableKeys extends PlatformApiKeyStore {
  override async find(digest: string): Promise<AdmittedKey | null> {
    if (isLost) throw new Error('lost');
    return super.find(digest);
  }
  override async stillHold(keys: readonly KeyInUse[]): Promise<readonly boolean[]> {
    if (isLost) throw new Error('lost');
    return super.stillHold(keys);
  }
}

@Injectable()
class LosableSessions extends PlatformSessionStore {
  override async stillHold(sessions: readonly Session[]): Promise<readonly (boolean | SessionEnd)[]> {
    if (isLost) throw new Error('lost');
    const holds = await super.stillHold(sessions);
    await gate;
    return holds;
  }
}

const stage = new BrowserStage({
  override: (builder) =>
    builder
      .overrideProvider(PlatformApiKeyStore)
      .useClass(LosableKeys)
      .overrideProvider(PlatformSessionStore)
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

function newsOfKey(): Promise<void> {
  const { id, keyId, key } = stage.team;
  return hear({ table: 'team_api_keys', id: keyId, teamId: id, keyHash: hashApiKey(key) });
}

/** By a session, through that door. */
function visit(door: Door, cookie: string): string {
  return stage.withCookie(cookie, 'GET', '/', door === 'upgrade' ? UPGRADE_LINES : []);
}

function newsOfSandbox(): Promise<void> {
  return hear({ table: 'sandboxes', id: stage.sandbox.uuid, teamId: stage.team.id });
}

describe.each(DOORS)('news of something that is as it was (%s)', (door) => {
  it('does not cut what waits by its key', async () => {
    const { client, upstream } = await stage.begin(stage.knock(door));
    await newsOfKey();
    upstream.send(OK);
    expect((await stage.answerOn(client)).status).toBe(200);
  });

  it('does not cut what waits by a session at its sandbox', async () => {
    const { client, upstream } = await stage.begin(visit(door, await stage.session(await stage.link())));
    await newsOfSandbox();
    upstream.send(OK);
    expect((await stage.answerOn(client)).status).toBe(200);
  });
});

describe('news of something that is as it was', () => {
  it('closes no WebSocket', async () => {
    const byKey = await stage.socket(stage.knock('upgrade'));
    const bySession = await stage.socket(visit('upgrade', await stage.session(await stage.link())));
    await newsOfKey();
    await newsOfSandbox();
    for (const { client, upstream } of [byKey, bySession]) {
      client.send('still here');
      expect(await upstream.until('still here')).toContain('still here');
    }
  });
});

describe('what comes while the database is asked', () => {
  it('is not cut by an answer in which it is not', async () => {
    const [first, second] = [
      await stage.session(await stage.link()),
      await stage.session(await stage.link()),
    ];
    await stage.begin(stage.withCookie(first));
    const held = new EventEmitter();
    gate = once(held, 'release');
    await newsOfSandbox();
    const { client, upstream } = await stage.begin(stage.withCookie(second));
    held.emit('release');
    await sleep(CUT_MS);
    upstream.send(OK);
    expect((await stage.answerOn(client)).status).toBe(200);
  });
});

describe.each(DOORS)('news of a key that was another (%s)', (door) => {
  it('cuts what the old one has open', async () => {
    const { body } = await stage.api('POST', '/v1/api-keys', { name: 'replaced' });
    const { client } = await stage.begin(stage.knockAt(door, stage.host(), { key: String(body.key) }));
    await stage.started.db.query('UPDATE team_api_keys SET key_hash = $1 WHERE key_hash = $2', [
      hashApiKey(generateApiKey()),
      hashApiKey(String(body.key)),
    ]);
    expect((await stage.answerOn(client)).status).toBe(401);
  });
});

describe.each(DOORS)('news of what the database cannot tell more about (%s)', (door) => {
  it('cuts what the key has open', async () => {
    const { client } = await stage.begin(stage.knock(door));
    isLost = true;
    await newsOfKey();
    const answer = await stage.answerOn(client);
    expect([answer.status, answer.header('x-sandbox-error')]).toEqual([503, 'proxy;directory_unavailable']);
  });

  it('cuts what a session has open', async () => {
    const { client } = await stage.begin(visit(door, await stage.session(await stage.link())));
    isLost = true;
    await newsOfSandbox();
    const answer = await stage.answerOn(client);
    expect([answer.status, answer.header('x-sandbox-error')]).toEqual([503, 'proxy;directory_unavailable']);
  });
});

describe('a WebSocket of whose key the database cannot tell more', () => {
  it('is closed, and asked to try again', async () => {
    const { client } = await stage.socket(stage.knock('upgrade'));
    isLost = true;
    await newsOfKey();
    const { bytes } = await client.rest();
    expect(bytes).toBe('\x88\x28\x03\xf5access could not be checked; try again');
  });
});
