import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const START_WITHIN_MS = 30_000;

/** What `inspect-server.mjs` in the application may be asked for. */
export interface Inspection {
  /** Set on every server once it listens, e.g. `{ requestTimeout: 1000 }`. */
  readonly settings?: Readonly<Record<string, number>>;
  /** A second address that `localhost` has. */
  readonly secondLocalhost?: string;
}

interface Listening {
  readonly kind: 'listening';
  readonly address: string;
  readonly port: number;
}
interface Settings {
  readonly kind: 'settings';
  readonly servers: readonly Readonly<Record<string, number | null>>[];
}

export const STAFF_PASSWORD = 'staff-password-of-the-test';
export const SANDBOX_DOMAIN = 'sandboxes.test';

/** An application in a process of its own, with nothing of our environment but PATH. */
export class AppProcess {
  /** All that it has written, both streams. */
  output = '';
  readonly exited: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;
  private readonly listening: Listening[] = [];

  /** @param script in `directory`, e.g. `dist/src/express.js` */
  constructor(
    directory: string,
    script: string,
    env: Readonly<Record<string, string>> = {},
    inspect: Inspection = {},
  ) {
    this.child = spawn(process.execPath, ['--import', './inspect-server.mjs', script], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env['PATH'] ?? '',
        NO_COLOR: '1',
        PORT: '0',
        SANDBOX_DOMAIN,
        STAFF_PASSWORD,
        TOKEN_SECRET: 'token-secret-of-the-test',
        INSPECT: JSON.stringify(inspect),
        ...env,
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += String(chunk)));
    }
    this.child.on('message', (message: Listening | Settings) => {
      if (message.kind === 'listening') this.listening.push(message);
    });
    this.exited = once(this.child, 'close').then(
      ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
    );
  }

  /** The application, once it listens on this many addresses. */
  static async start(...args: ConstructorParameters<typeof AppProcess>): Promise<AppProcess> {
    const app = new AppProcess(...args);
    await app.listensOn(1);
    return app;
  }

  get port(): number {
    return this.listening[0]?.port ?? 0;
  }

  async listensOn(count: number): Promise<readonly string[]> {
    const deadline = AbortSignal.timeout(START_WITHIN_MS);
    const over = Promise.race([this.exited, once(deadline, 'abort')]).then(() => {
      throw new Error(`the application does not listen on ${count} addresses:\n${this.output}`);
    });
    over.catch(() => undefined);
    while (this.listening.length < count) await Promise.race([over, once(this.child, 'message')]);
    return this.listening.map(({ address }) => address);
  }

  /** Of each server, in the order in which they began to listen. */
  async settings(): Promise<Settings['servers']> {
    this.child.send('settings');
    for (;;) {
      const [message] = (await once(this.child, 'message')) as [Listening | Settings];
      if (message.kind === 'settings') return message.servers;
    }
  }

  /** Waits for its end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.exited;
  }

  /** One of the application's own routes below `/api`, as its staff. @throws Error unless the answer is 2xx */
  async call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/${path}`, {
      method,
      headers: {
        'x-staff-password': STAFF_PASSWORD,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const said = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${said}`);
    return (said === '' ? undefined : JSON.parse(said)) as T;
  }
}
