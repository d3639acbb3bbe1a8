import { Client } from 'pg';

export interface FeedConnectionOptions {
  readonly databaseUrl: string;
  readonly feedUrl: string;
  readonly timeoutMs: number;
}

export interface FeedConnectionEvents {
  readonly onLost: (error: unknown) => void;
  readonly onMessage: (payload: string | undefined) => void;
}

const LATE = Symbol('late');

interface Waiting {
  readonly proof: string;
  readonly end: (isHeard: boolean) => void;
}

/** Two connections to the database: one that listens on a channel, and one that speaks there to be heard by it. */
export class FeedConnection {
  private readonly listener: Client;
  private readonly speaker: Client;
  private waiting: Waiting | null = null;

  constructor(options: FeedConnectionOptions, events: FeedConnectionEvents) {
    this.listener = clientFor(options.feedUrl, options.timeoutMs, events.onLost);
    this.speaker = clientFor(options.databaseUrl, options.timeoutMs, events.onLost);
    this.listener.on('notification', ({ payload }) => events.onMessage(payload));
  }

  /** @param deadlineMs epoch milliseconds @throws any error, also where it is not in time */
  async open(channel: string, deadlineMs: number): Promise<void> {
    await Promise.all([this.listener.connect(), this.speaker.connect()]);
    await inTime(this.listener.query(`LISTEN ${channel}`), deadlineMs);
  }

  /**
   * @param sql answers one row with a number `count`; its parameter is a list of texts
   * @param deadlineMs epoch milliseconds
   * @throws any error, also where it is not in time
   */
  async count(sql: string, names: readonly string[], deadlineMs: number): Promise<number> {
    const { rows } = await inTime(this.listener.query<{ count: number }>(sql, [names]), deadlineMs);
    return rows[0]?.count ?? 0;
  }

  /**
   * Says `{"proof":"…"}` and waits until it is heard: false where it is not in time.
   *
   * @param deadlineMs epoch milliseconds
   * @throws any error where it could not be said, also in time
   */
  async hearsItself(channel: string, proof: string, deadlineMs: number): Promise<boolean> {
    const heard = new Promise<boolean>((resolve) => {
      this.waiting = { proof, end: resolve };
    });
    try {
      const payload = JSON.stringify({ proof });
      await inTime(this.speaker.query('SELECT pg_notify($1, $2)', [channel, payload]), deadlineMs);
      return (await byDeadline(heard, deadlineMs)) === true;
    } finally {
      this.waiting = null;
    }
  }

  /** Told of every proof that has come in, of other feeds as well. */
  heard(proof: string): void {
    if (this.waiting?.proof === proof) this.waiting.end(true);
  }

  async close(): Promise<void> {
    this.waiting?.end(false);
    await Promise.all([this.listener, this.speaker].map((client) => client.end().catch(() => undefined)));
  }

  /** Closes the sockets as well where the server does not answer any more. */
  destroy(): void {
    this.waiting?.end(false);
    for (const client of [this.listener, this.speaker]) client.connection.stream.destroy();
  }
}

function clientFor(url: string, timeoutMs: number, onLost: (error: unknown) => void): Client {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    application_name: 'sandbox-control-plane change feed',
    keepAlive: true,
  });
  client.on('error', onLost);
  client.on('end', () => onLost(new Error('the connection ended')));
  return client;
}

async function inTime<Value>(promise: Promise<Value>, deadlineMs: number): Promise<Value> {
  const value = await byDeadline(promise, deadlineMs);
  if (value === LATE) throw new Error('the database has not answered in time');
  return value;
}

/** What the promise gives, or `LATE` where it gives nothing before `deadlineMs`, epoch milliseconds. */
async function byDeadline<Value>(promise: Promise<Value>, deadlineMs: number): Promise<Value | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    const end = (): void => resolve(LATE);
    // where it is the process that was late, what has come in the meantime is read before the immediate
    timer = setTimeout(() => setImmediate(end), Math.max(0, deadlineMs - Date.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
