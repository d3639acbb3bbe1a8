import { caller, type Call } from './api-client.js';
import type { StartOptions } from './app.js';
import { ProxyStage } from './proxy-stage.js';
import { type Answer, wholeAnswer } from './answer.js';
import type { RawConnection } from './raw-connection.js';

export interface LinkOptions {
  readonly port?: number;
  /** Instead of `port`. */
  readonly ports?: readonly number[];
  readonly ttlSeconds?: number;
  readonly once?: boolean;
  readonly embed?: boolean;
  readonly renew?: boolean;
  readonly renewUntil?: string;
  readonly endSessionsOnPause?: boolean;
  readonly allowedOrigins?: readonly string[];
}

/** A link as the API made it, and the token out of its URL. */
export interface MadeLink {
  readonly id: string;
  readonly url: string;
  readonly token: string;
}

/** The stage of the proxy, with what a browser does at it. */
export class BrowserStage extends ProxyStage {
  constructor(options: StartOptions = {}) {
    super(options);
  }

  /** The team of the stage at the API. */
  get api(): Call {
    return caller(this.started.url, { 'x-api-key': this.team.key });
  }

  async link(options: LinkOptions = {}, sandboxId = this.sandbox.id): Promise<MadeLink> {
    const { status, body } = await this.api('POST', `/v1/sandboxes/${sandboxId}/links`, {
      ...(options.ports === undefined && { port: 3000 }),
      ...options,
    });
    if (status !== 201) throw new Error(`no link: ${JSON.stringify(body)}`);
    const { id, url } = body as unknown as { id: string; url: string };
    return { id, url, token: new URL(url).searchParams.get('sandbox_link') ?? '' };
  }

  async putPort(
    port: number,
    settings: { visibility?: string; cors?: unknown; appHost?: string },
  ): Promise<void> {
    const { status, body } = await this.told(() =>
      this.api('PUT', `/v1/sandboxes/${this.sandbox.id}/ports/${port}`, settings),
    );
    if (status !== 200) throw new Error(`no settings: ${JSON.stringify(body)}`);
  }

  /** Opens a target at the sandbox's host without any credential but what it says. */
  open(target: string, lines: readonly string[] = [], port = 3000): Promise<Answer> {
    return this.ask(this.bare('GET', target, [`Host: ${this.host(port)}`, ...lines]));
  }

  /** The cookie, `name=value`, that a link's token is exchanged for. */
  async session(link: MadeLink, lines: readonly string[] = []): Promise<string> {
    const answer = await this.open(`/?sandbox_link=${link.token}`, lines);
    const cookie = answer.header('set-cookie')?.split(';', 1)[0];
    if (answer.status !== 303 || cookie === undefined)
      throw new Error(`no session: ${answer.status} ${answer.body}`);
    return cookie;
  }

  /** A request with a session's cookie and nothing else. */
  withCookie(
    cookie: string,
    method = 'GET',
    target = '/',
    lines: readonly string[] = [],
    port = 3000,
  ): string {
    return this.bare(method, target, [`Host: ${this.host(port)}`, `Cookie: ${cookie}`, ...lines]);
  }

  /** An open WebSocket: both ends of it. */
  async socket(bytes: string): Promise<{ client: RawConnection; upstream: RawConnection }> {
    const { client, upstream } = await this.begin(bytes);
    upstream.send(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    );
    await client.head();
    return { client, upstream };
  }

  /** A response that goes on: both ends of it. */
  async stream(bytes: string): Promise<{ client: RawConnection; upstream: RawConnection }> {
    const { client, upstream } = await this.begin(bytes);
    upstream.send(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    );
    await client.head();
    await client.until('abc\r\n');
    return { client, upstream };
  }

  /** The answer on a connection. */
  readonly answerOn = (connection: RawConnection, method = 'GET'): Promise<Answer> =>
    wholeAnswer(connection, method);
}
