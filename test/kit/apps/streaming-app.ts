import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { digest, GeneratedBytes } from './generated-bytes.js';
import { HttpApp } from './http-app.js';

/**
 * An app for long answers: `GET /bytes/{n}` generates n bytes, `PUT /bytes` digests what it gets,
 * `GET /events` sends one event and stays open.
 */
export class StreamingApp extends HttpApp {
  /** The last body that `/bytes/{n}` has begun to send. */
  lastSent: GeneratedBytes | null = null;
  /** Emits `left` when the reader of `/events` is gone. */
  readonly events = new EventEmitter();

  protected async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/events') {
      response.on('close', () => this.events.emit('left'));
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: first\n\n');
      return;
    }
    if (request.method === 'PUT') {
      response.end(JSON.stringify(await digest(request)));
      return;
    }
    this.lastSent = new GeneratedBytes(Number(request.url?.split('/')[2]));
    // A reader who leaves is no failure of the app.
    await pipeline(Readable.from(this.lastSent), response).catch(() => {});
  }
}
