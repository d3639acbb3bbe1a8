import { on, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { SANDBOX_DOMAIN } from './app-process.js';
import { converse } from './conversation.js';

export type Fields = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: Fields;
  readonly body: string;
}

/** A port of a sandbox, as a client of the application reaches it. */
export interface Place {
  /** Of the application. */
  readonly port: number;
  readonly sandboxId: string;
  /** 127.0.0.1 if not given. */
  readonly host?: string;
  /** 3000 if not given. */
  readonly sandboxPort?: number | string;
}

interface Message {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: Fields;
  readonly body?: string;
  readonly withinMs?: number;
}

const END_WITHIN_MS = 20_000;

/** One request on a connection of its own. */
export async function ask(place: Place, message: Message = {}): Promise<Answer> {
  const { said } = await converse(place.port, headOf(place, message, 'close') + (message.body ?? ''), {
    host: place.host ?? '127.0.0.1',
    withinMs: message.withinMs ?? 10_000,
  });
  return answerOf(said);
}

function answerOf(said: string): Answer {
  const end = said.indexOf('\r\n\r\n');
  const [line = '', ...lines] = said.slice(0, end).split('\r\n');
  const fields = lines.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  });
  return {
    status: Number(line.split(' ')[1]),
    fields: Object.fromEntries(fields) as Fields,
    body: said.slice(end + 4),
  };
}

/** The code of an answer of the proxy itself, or null. */
export function codeOf({ fields }: Answer): string | null {
  return /^proxy;(\w+)$/.exec(fields['x-sandbox-error'] ?? '')?.[1] ?? null;
}

/** A response that goes on until somebody ends it. */
export class Download {
  /** Resolves when the connection is over, with all that came. */
  readonly over: Promise<string>;
  private said = '';

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => (this.said += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    this.over = once(socket, 'close').then(() => this.said);
  }

  /** Resolves when its first line has come. */
  static async start(place: Place, fields: Fields): Promise<Download> {
    const socket = connect({ port: place.port, host: place.host ?? '127.0.0.1' });
    const download = new Download(socket);
    socket.write(headOf(place, { path: '/endless', fields }, 'keep-alive'));
    const deadline = AbortSignal.timeout(END_WITHIN_MS);
    while (!download.said.includes('first\n')) {
      if (socket.destroyed) throw new Error(`the download ended: ${download.said}`);
      await Promise.race([once(socket, 'data', { signal: deadline }), download.over]);
    }
    return download;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** How a WebSocket ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket into a sandbox. */
export class SandboxSocket {
  readonly closed: Promise<Closed>;

  private constructor(private readonly socket: WebSocket) {
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** With what the agent saw of it, or the answer with which it was refused. */
  static async open(
    { port, host = '127.0.0.1', ...place }: Place,
    fields: Fields,
  ): Promise<{ socket: SandboxSocket; greeting: string } | Answer> {
    const socket = new WebSocket(`ws://${host}:${port}/socket`, {
      headers: { host: hostHeader(place), ...fields },
      handshakeTimeout: END_WITHIN_MS,
    });
    const opened = new SandboxSocket(socket);
    const refused = new Promise<Answer>((resolve, reject) => {
      socket.once('unexpected-response', (_request, { statusCode = 0, headers }) => {
        resolve({ status: statusCode, fields: headers as Fields, body: '' });
        socket.terminate();
      });
      socket.once('error', reject);
    });
    const greeted = once(socket, 'message').then(([message]) => ({
      socket: opened,
      greeting: String(message),
    }));
    return Promise.race([greeted, refused]);
  }

  /** Resolves when the message has come back. */
  async echo(message: string): Promise<void> {
    this.socket.send(message);
    const signal = AbortSignal.timeout(END_WITHIN_MS);
    for await (const [echoed] of on(this.socket, 'message', { signal }))
      if (String(echoed) === message) return;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  close(): void {
    this.socket.terminate();
  }
}

/** One that must open. */
export async function openSocket(place: Place, fields: Fields): Promise<SandboxSocket> {
  const opened = await SandboxSocket.open(place, fields);
  if (!('socket' in opened)) throw new Error(`refused: ${JSON.stringify(opened)}`);
  return opened.socket;
}

function hostHeader({ sandboxId, sandboxPort = 3000 }: Omit<Place, 'port'>): string {
  return `${sandboxPort}-${sandboxId}.${SANDBOX_DOMAIN}`;
}

function headOf(
  place: Place,
  { method = 'GET', path = '/', fields = {}, body }: Message,
  connection: string,
): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${hostHeader(place)}`,
    `Connection: ${connection}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
