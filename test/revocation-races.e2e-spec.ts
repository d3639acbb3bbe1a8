import { Injectable } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import { PlatformApiKeyStore } from '../src/platform/proxy-adapter/platform-api-keys.js';
import { type AdmittedKey, SandboxProxy } from '../src/sandbox-proxy/index.js';
import { caller } from './kit/api-client.js';
import { BrowserStage } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';

// A key is looked up, deleted while its answer is on the way, and the answer is still the old one: the connection that
// is opened by it must not live for ever, although nothing will be told of the key any more.

let gate: Promise<void> = Promise.resolve();
let asked: () => void = () => undefined;

/** So that the next request comes on a connection of its own. */
const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** The real store, whose answers can be held back. */
@Injectable()
class SlowKeyStore extends PlatformApiKeyStore {
  override async find(digest: string): Promise<AdmittedKey | null> {
    const found = await super.find(digest);
    asked();
    await gate;
    return found;
  }
}

const stage = new BrowserStage({
  override: (builder) => builder.overrideProvider(PlatformApiKeyStore).useClass(SlowKeyStore),
});
afterEach(() => {
  gate = Promise.resolve();
});

/** Everything that is registered as open. */
function open(): number {
  return stage.started.app.get(SandboxProxy).state.open;
}

/** Holds the next lookups back: resolved once one has its answer, and lets them go when told to. */
function hold(): { isAsked: Promise<void>; release: () => void } {
  const box: { open?: () => void } = {};
  gate = new Promise((resolve) => {
    box.open = resolve;
  });
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  return { isAsked, release: () => box.open?.() };
}

describe('a key that is deleted while it is looked up', () => {
  it.each(['WebSocket', 'stream'])('opens no %s that lives', async (kind) => {
    const { body } = await stage.api('POST', '/v1/api-keys', { name: 'short-lived' });
    const lines = [`Host: ${stage.host()}`, `X-API-Key: ${body.key}`];
    const { isAsked, release } = hold();
    const client = await stage.client();
    client.send(stage.bare('GET', '/', kind === 'stream' ? lines : [...lines, ...UPGRADE_LINES]));
    await isAsked;
    gate = Promise.resolve();
    await stage.told(() => stage.api('DELETE', `/v1/api-keys/${body.id}`));
    release();
    const answer = await stage.answerOn(client);
    expect([answer.status, JSON.parse(answer.body).error.message]).toEqual([401, 'access has been revoked']);
    await expect.poll(open).toBe(0);
  });
});

describe('a key that is deleted while it is looked up for the API', () => {
  it('lets nobody in', async () => {
    const { body } = await stage.api('POST', '/v1/api-keys', { name: 'short-lived' });
    const { isAsked, release } = hold();
    const answering = caller(stage.started.url, { 'x-api-key': body.key })('GET', '/v1/api-keys');
    await isAsked;
    gate = Promise.resolve();
    await stage.told(() => stage.api('DELETE', `/v1/api-keys/${body.id}`));
    release();
    expect((await answering).status).toBe(401);
  });
});

describe('what has ended', () => {
  it('is not kept, however it ended', async () => {
    const cookie = await stage.session(await stage.link());
    await stage.exchange(stage.withCookie(cookie), CLOSING);
    await stage.exchange(stage.head('GET', '/'), CLOSING);
    const gone = await stage.client();
    const { isAsked, release } = hold();
    const { body } = await stage.api('POST', '/v1/api-keys', { name: 'other' });
    gone.send(stage.bare('GET', '/', [`Host: ${stage.host()}`, `X-API-Key: ${body.key}`]));
    await isAsked;
    gone.reset();
    const socket = await stage.socket(stage.knock('upgrade'));
    expect(open()).toBe(1);
    socket.client.close();
    await socket.upstream.rest();
    socket.upstream.close();
    release();
    await expect.poll(open).toBe(0);
  });
});
