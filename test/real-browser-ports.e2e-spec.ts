import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { HAS_NO_CHROMIUM } from './kit/browser/chromium.js';
import { ChromiumStage } from './kit/browser/chromium-stage.js';
import { echoInPage, fetchInPage, firstEventInPage } from './kit/browser/in-page.js';
import { PageApp } from './kit/browser/page-app.js';

/** An API whose CORS setting is that of development: it lets the page at `localhost` in, and nobody else. */
class LocalApi {
  /** The origin that it allows, e.g. `http://localhost:3000`. */
  page = '';
  readonly asked: (string | undefined)[] = [];
  private readonly server = createServer((request, response) => this.answer(request, response));
  private readonly sockets = new WebSocketServer({
    server: this.server,
    verifyClient: ({ origin }: { origin: string }) => origin === this.page,
  });

  async start(): Promise<void> {
    this.sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    await once(this.server.listen(0, 'localhost'), 'listening');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.sockets.close();
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    this.asked.push(origin);
    if (origin === this.page) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Credentials', 'true');
      response.setHeader('Vary', 'Origin');
    }
    const isStream = request.url === '/events';
    response.setHeader('Content-Type', isStream ? 'text/event-stream' : 'text/plain');
    response.end(isStream ? 'data: an event\n\n' : `${request.method} by ${String(origin)}`);
  }
}

// `*.localhost` makes each port a site of its own; under the other domain they are one site.
describe.skipIf(HAS_NO_CHROMIUM).each([
  ['each a site of its own', true],
  ['of one site', false],
])('two private ports, %s', (_what, isPlain) => {
  const stage = new ChromiumStage({ isPlain });
  const app = new PageApp();
  const api = new LocalApi();

  beforeAll(async () => {
    await Promise.all([app.start(), api.start()]);
    api.page = `http://localhost:${app.port}`;
  });
  afterAll(() => {
    api.stop();
    return app.stop();
  });

  it('are opened by one link, and the page of one uses the other as on localhost', async () => {
    const sandbox = await stage.sandbox();
    const page = await stage.opened(sandbox, { ports: [app.port, api.port] });
    await page.waitForURL(`${stage.originOf(sandbox, app.port)}/`);
    const there = stage.originOf(sandbox, api.port);
    for (const method of ['GET', 'POST', 'DELETE'])
      expect(await fetchInPage(page, `${there}/`, { method, credentials: 'include' })).toMatchObject({
        status: 200,
        text: `${method} by ${api.page}`,
      });
    expect(await echoInPage(page, there.replace('http', 'ws'))).toBe('hello');
    expect(await firstEventInPage(page, `${there}/events`, { withCredentials: true })).toBe('an event');
  });

  it('are not used by a page of a third port', async () => {
    const sandbox = await stage.sandbox();
    const third = new PageApp();
    await third.start();
    const person = await stage.person();
    await stage.opened(sandbox, { ports: [app.port, api.port] }, person);
    const page = await stage.opened(sandbox, { port: third.port }, person);
    api.asked.length = 0;
    const there = stage.originOf(sandbox, api.port);
    const outcome = await fetchInPage(page, `${there}/`, { method: 'POST', credentials: 'include' });
    await third.stop();
    expect(outcome).toBe('failed');
    expect(await echoInPage(page, there.replace('http', 'ws'))).toBe(1006);
    expect(api.asked).toEqual([]);
  });
});
