import { afterEach, describe, expect, it } from 'vitest';
import { PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import { BrowserStage } from './kit/browser-stage.js';
import { DOORS, UPGRADE_LINES } from './kit/proxy-stage.js';

// What the API of this very process takes away is gone when it answers, however late the feed is.

/** A feed that tells nothing yet; down while a test sets its scene, so that nothing waits for it. */
const silent = { isLive: false, provenAtMs: 0, state: 'down', subscribe: () => () => undefined };

const stage = new BrowserStage({
  override: (builder) => builder.overrideProvider(PostgresChangeFeed).useValue(silent),
});

afterEach(() => {
  silent.isLive = false;
});

const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

describe.each(DOORS)('at once (%s)', (door) => {
  const lines = door === 'upgrade' ? UPGRADE_LINES : [];

  it('a revoked link admits nobody', async () => {
    const link = await stage.link();
    const request = stage.withCookie(await stage.session(link), 'GET', '/', lines);
    await stage.exchange(request, CLOSING);
    silent.isLive = true;
    await stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${link.id}`);
    expect((await stage.ask(request)).status).toBe(401);
  });

  it.each(['PUT', 'DELETE'])('a port made private by %s admits nobody', async (method) => {
    await stage.putPort(3000, { visibility: 'public' });
    const request = stage.bare('GET', '/', [`Host: ${stage.host()}`, ...lines]);
    await stage.exchange(request, CLOSING);
    silent.isLive = true;
    const body = method === 'PUT' ? { visibility: 'private' } : undefined;
    await stage.api(method, `/v1/sandboxes/${stage.sandbox.id}/ports/3000`, body);
    expect((await stage.ask(request)).status).toBe(401);
  });
});
