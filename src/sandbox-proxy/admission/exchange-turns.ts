import { TooManyLookupsError } from '../errors.js';
import { networkOf, type StrangerBudget } from './stranger-budget.js';

/** Most exchanges under way at a time: each is a transaction, and anyone can make tokens up. */
const MAX_UNDER_WAY = 100;
/** Most of one client network under way at a time. */
const MAX_OF_NETWORK = 8;
/** Most of one network that wait: as many as its budget pays for within `PATIENCE_MS`. */
const MAX_LINE = 240;
/** Most networks with an exchange under way or waiting. */
const MAX_NETWORKS = 1_000;
/** How long an exchange waits for its turn at most, milliseconds. */
const PATIENCE_MS = 5_000;
/** How often to check whether a budget that was used up has been refilled, milliseconds. */
const REFILL_MS = 20;

interface Waiter {
  readonly go: () => void;
  readonly refuse: () => void;
}

interface Network {
  readonly name: string;
  underWay: number;
  /** Oldest first. */
  readonly line: Waiter[];
}

/**
 * Makes exchanges of links for sessions a few at a time, with a turn for each client network, so that made-up tokens
 * from some addresses do not lock out links that are opened from others. Only the store can tell a link from a made-up
 * one, so an exchange for a network whose budget is used up waits until the budget can pay for it.
 */
export class ExchangeTurns {
  private readonly networks = new Map<string, Network>();
  /** Networks whose line is not empty, in the order of their turns. */
  private readonly waiting = new Set<Network>();
  private underWay = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly strangers: StrangerBudget) {}

  /**
   * Makes an exchange when it is its turn. If it gives null, the client's budget pays for it.
   *
   * @param client IP address
   * @throws TooManyLookupsError when too many wait, or it has waited too long; whatever `exchange` throws
   */
  async take<Result>(client: string, exchange: () => Promise<Result | null>): Promise<Result | null> {
    const network = this.networkNamed(networkOf(client));
    await this.turnOf(network);
    let result: Result | null | undefined;
    try {
      result = await exchange();
      return result;
    } finally {
      if (result !== null) this.strangers.refund(network.name);
      this.end(network);
    }
  }

  private networkNamed(name: string): Network {
    let network = this.networks.get(name);
    if (network === undefined) {
      if (this.networks.size >= MAX_NETWORKS) throw new TooManyLookupsError();
      network = { name, underWay: 0, line: [] };
      this.networks.set(name, network);
    }
    return network;
  }

  private turnOf(network: Network): Promise<void> {
    const { line } = network;
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        line.splice(line.indexOf(waiter), 1);
        waiter.refuse();
        this.forgetIfIdle(network);
      }, PATIENCE_MS);
      const waiter: Waiter = {
        go: () => {
          clearTimeout(patience);
          resolve();
        },
        refuse: () => {
          clearTimeout(patience);
          reject(new TooManyLookupsError());
        },
      };
      line.push(waiter);
      this.waiting.add(network);
      // The oldest is refused, so that after a flood there is room for whoever comes next.
      if (line.length > MAX_LINE) line.shift()?.refuse();
      this.serve([network]);
    });
  }

  /** Gives each of these networks a turn, round after round, for as long as that is possible. */
  private serve(networks: Iterable<Network>): void {
    let ready = [...networks];
    while (ready.length > 0) {
      const served: Network[] = [];
      for (const network of ready) {
        if (this.underWay >= MAX_UNDER_WAY) return;
        if (this.serveOne(network)) served.push(network);
      }
      ready = served;
    }
  }

  private serveOne(network: Network): boolean {
    const { name, line } = network;
    if (line.length === 0 || network.underWay >= MAX_OF_NETWORK) return false;
    if (!this.strangers.reserveForLink(name)) {
      this.timer ??= setTimeout(() => {
        this.timer = null;
        this.serve(this.waiting);
      }, REFILL_MS);
      return false;
    }
    this.underWay += 1;
    network.underWay += 1;
    line.shift()?.go();
    // Moves the network to the end of the order.
    this.waiting.delete(network);
    if (line.length > 0) this.waiting.add(network);
    else this.strangers.noLinkWaits(name);
    return true;
  }

  private end(network: Network): void {
    const wasFull = this.underWay >= MAX_UNDER_WAY;
    this.underWay -= 1;
    network.underWay -= 1;
    this.serve(wasFull ? this.waiting : [network]);
    this.forgetIfIdle(network);
  }

  private forgetIfIdle(network: Network): void {
    if (network.line.length > 0) return;
    this.waiting.delete(network);
    this.strangers.noLinkWaits(network.name);
    if (network.underWay === 0) this.networks.delete(network.name);
  }
}
