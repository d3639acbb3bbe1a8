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

/** Two connections to the database: one listens on a channel, the other sends messages there that the first should hear. */
export class FeedConnection {
  private readonly listener: Client;
  private readonly speaker: Client;
  private waiting: Waiting | null = null;

  constructor(options: FeedConnectionOptions, events: FeedConnectionEvents) {
    this.listener = clientFor(options.feedUrl, options.timeoutMs, events.onLost);
    this.speaker = clientFor(options.databaseUrl, options.timeoutMs, events.onLost);
    this.listener.on('notification', ({ payload }) => events.onMessage(payload));
  }

  /** Connects and listens. @param deadlineMs epoch milliseconds @throws any error, also when it is late */
  async open(channel: string, deadlineMs: number): Promise<void> {
    await Promise.all([this.listener.connect(), this.speaker.connect()]);
    await inTime(this.listener.query(`LISTEN ${channel}`), deadlineMs);
  }

  /**
   * Runs a query that counts.
   *
   * @param sql answers one row with a number `count`; its parameter is a list of texts
   * @param deadlineMs epoch milliseconds
   * @throws any error, also when it is late
   */
  async count(sql: string, names: readonly string[], deadlineMs: number): Promise<number> {
    const { rows } = await inTime(this.listener.query<{ count: number }>(sql, [names]), deadlineMs);
    return rows[0]?.count ?? 0;
  }

  /**
   * Sends `{"proof":"…"}` and waits until it is heard; false if that takes too long.
   *
   * @param deadlineMs epoch milliseconds
   * @throws any error when the message could not be sent, or not in time
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

  /** To be called with every proof that was heard, also those of other feeds. */
  heard(proof: string): void {
    if (this.waiting?.proof === proof) this.waiting.end(true);
  }

  async close(): Promise<void> {
    this.waiting?.end(false);
    await Promise.all([this.listener, this.speaker].map((client) => client.end().catch(() => undefined)));
  }

  /** Closes the sockets at once, for a server that no longer answers. */
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

/** The value of the promise, or `LATE` if it has none before `deadlineMs`, epoch milliseconds. */
async function byDeadline<Value>(promise: Promise<Value>, deadlineMs: number): Promise<Value | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    const end = (): void => resolve(LATE);
    // if this process itself was late, what has arrived meanwhile is read before the immediate runs
    timer = setTimeout(() => setImmediate(end), Math.max(0, deadlineMs - Date.now()));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
