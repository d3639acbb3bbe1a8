import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { HttpApp } from '../apps/http-app.js';

/** A request as the app got it; `upgrade` is true for a WebSocket's. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly isUpgrade: boolean;
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>An app in a sandbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<main>
  <h1 id="title">An app in a sandbox</h1>
  <p>A page, its style, its script, a picture, a stream of events and a WebSocket.</p>
  <img src="/picture.svg" alt="" width="96" height="96">
  <p id="script">no script yet</p>
  <p><code id="address"></code></p>
</main>
<script src="/app.js"></script>
</html>`;
const STYLE = `:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif; }
main { max-width: 34rem; margin: 4rem auto; padding: 0 1.25rem; }
code { font-size: .8125rem; overflow-wrap: anywhere; }
#title { color: rgb(11, 87, 208); }`;
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96"><rect width="96" height="96" rx="20" fill="#0b57d0"/><path d="M26 34l20 14-20 14M52 64h20" fill="none" stroke="#fff" stroke-width="8" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** Path -> type and text. */
const FILES: Readonly<Record<string, readonly [string, string]>> = {
  '/': ['text/html', PAGE],
  '/style.css': ['text/css', STYLE],
  '/picture.svg': ['image/svg+xml', PICTURE],
  '/app.js': [
    'text/javascript',
    `document.querySelector('#script').textContent = 'the script has run';
     document.querySelector('#address').textContent = location.href;`,
  ],
  '/worker.js': [
    'text/javascript',
    `addEventListener('activate', (event) => event.waitUntil(clients.claim()));
     addEventListener('fetch', (event) => {
       if (event.request.url.endsWith('/by-the-worker')) event.respondWith(new Response('from the worker'));
     });`,
  ],
};

/**
 * What people run in sandboxes, in small: a page with all that pages have. It remembers what it was sent, and also
 * serves `/events` (one event, and no end), `/api` (JSON of what came) and `/silence` (no answer).
 */
export class PageApp extends HttpApp {
  readonly seen: SeenRequest[] = [];
  /** Sent with every answer, e.g. the `Set-Cookie` of an attacker. */
  extraHeaders: OutgoingHttpHeaders = {};

  /** Forgets what it was sent, and what it was to send. */
  reset(): void {
    this.seen.length = 0;
    this.extraHeaders = {};
  }

  protected override onWebSocket(request: IncomingMessage): void {
    this.note(request, true);
  }

  private note({ method = '', url = '', headers }: IncomingMessage, isUpgrade: boolean): void {
    this.seen.push({ method, url, headers, isUpgrade });
  }

  protected async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.note(request, false);
    for (const [name, value] of Object.entries(this.extraHeaders)) response.setHeader(name, value ?? '');
    const path = (request.url as string).split('?', 1)[0] as string;
    if (path === '/silence') return;
    if (path === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('retry: 50\ndata: first\n\n');
    } else if (path === '/api') {
      const { method } = request;
      const body = await text(request).catch(() => '');
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ method, body }));
    } else {
      const [type, content] = FILES[path] ?? ['text/plain', ''];
      response.writeHead(FILES[path] === undefined ? 404 : 200, { 'Content-Type': type }).end(content);
    }
  }
}
