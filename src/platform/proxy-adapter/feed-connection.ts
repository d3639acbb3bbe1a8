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

  async open(channel: string): Promise<void> {
    await Promise.all([this.listener.connect(), this.speaker.connect()]);
    await this.listener.query(`LISTEN ${channel}`);
  }

  /** @param sql answers one row with a number `count`; its parameter is a list of texts */
  async count(sql: string, names: readonly string[]): Promise<number> {
    const { rows } = await this.listener.query<{ count: number }>(sql, [names]);
    return rows[0]?.count ?? 0;
  }

  /**
   * Says `{"proof":"…"}` and waits until it is heard: false where it is not in time.
   *
   * @param deadlineMs epoch milliseconds
   * @throws any error where it could not be said
   */
  async hearsItself(channel: string, proof: string, deadlineMs: number): Promise<boolean> {
    let isSaid = false;
    let timer: NodeJS.Timeout | undefined;
    const heard = new Promise<boolean>((resolve) => {
      this.waiting = { proof, end: resolve };
      timer = setTimeout(() => resolve(false), deadlineMs - Date.now());
    });
    const said = this.speaker
      .query('SELECT pg_notify($1, $2)', [channel, JSON.stringify({ proof })])
      .then(() => {
        isSaid = true;
        return heard;
      });
    try {
      const isHeard = await Promise.race([heard, said]);
      if (!isHeard && !isSaid) throw new Error('the database did not take a notification in time');
      return isHeard;
    } finally {
      clearTimeout(timer);
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
    query_timeout: timeoutMs,
    application_name: 'sandbox-control-plane change feed',
    keepAlive: true,
  });
  client.on('error', onLost);
  client.on('end', () => onLost(new Error('the connection ended')));
  return client;
}
