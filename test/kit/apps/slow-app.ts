import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpApp } from './http-app.js';

/** An app that answers `/slow` when it is told to, and any other path at once: `answer to {last part of the path}`. */
export class SlowApp extends HttpApp {
  private readonly held: (() => void)[] = [];

  /** How many requests wait for `finish`. */
  get waiting(): number {
    return this.held.length;
  }

  /** Answers those that have waited longest. */
  finish(count = Infinity): void {
    for (const answer of this.held.splice(0, count)) answer();
  }

  protected answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const answer = () => response.end(`answer to ${url.split('/').at(-1)}`);
    if (url.endsWith('/slow')) this.held.push(answer);
    else answer();
  }
}
