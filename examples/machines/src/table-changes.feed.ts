import { Injectable } from '@nestjs/common';
import { type Change, ChangeFeed } from '@sandbox-control-plane/sandbox-proxy';
import { type TableChange, Tables } from './tables.js';

/** The application's own news, in the proxy's words. */
@Injectable()
export class TableChangesFeed extends ChangeFeed {
  /** An emitter in the same process hears everything. A feed with a connection says false while that is down. */
  readonly isLive = true;

  constructor(private readonly tables: Tables) {
    super();
  }

  get provenAtMs(): number {
    return Date.now();
  }

  subscribe(listener: (change: Change) => void): () => void {
    const tell = (change: TableChange) => listener(inWordsOfTheProxy(change));
    this.tables.events.on('changed', tell);
    return () => this.tables.events.off('changed', tell);
  }
}

function inWordsOfTheProxy({ table, row }: TableChange): Change {
  switch (table) {
    case 'machines':
      return { kind: 'sandbox', sandboxId: row };
    case 'keys':
      return { kind: 'credential', scheme: 'api-key', subject: row };
    case 'tokens':
      return { kind: 'credential', scheme: 'token', subject: row };
  }
}
