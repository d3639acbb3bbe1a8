import { isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import { TooManyLookupsError } from '../errors.js';
import { LookupBudget } from '../memory/lookup-budget.js';

/**
 * How many questions that find nothing one client may cause without a credential that admits: ports that are not public,
 * made-up cookies and link tokens. All clients of a proxy that is not trusted count as one.
 */
const ALLOWANCE = { burst: 500, perSecond: 50 };

/** Keeps strangers from overloading the stores, which everyone else needs. */
@Injectable()
export class StrangerBudget {
  private readonly budget = new LookupBudget(() => performance.now(), ALLOWANCE);
  /** Networks from which a link waits to be paid for. It comes before anything else that they ask. */
  private readonly linksWaiting = new Set<string>();

  /**
   * To be called before a store is asked for a stranger: pays for the question in advance.
   *
   * @param client IP address
   * @throws TooManyLookupsError while the client's budget is used up
   */
  reserve(client: string): void {
    const network = networkOf(client);
    if (this.linksWaiting.has(network) || !this.budget.reserve(network)) throw new TooManyLookupsError();
  }

  /** Asks a question that has been paid for, and refunds the client unless the answer is null. */
  ask<Answer>(client: string, question: () => Promise<Answer | null>): Promise<Answer | null> {
    return this.budget.ask(networkOf(client), question);
  }

  /**
   * Like `reserve`, for a link. If it is false, the next token of the budget is kept for links of this network.
   *
   * @param network as `networkOf` has it
   */
  reserveForLink(network: string): boolean {
    if (this.budget.reserve(network)) return true;
    this.linksWaiting.add(network);
    return false;
  }

  /** To be called when no link of the network waits any more. */
  noLinkWaits(network: string): void {
    this.linksWaiting.delete(network);
  }

  refund(network: string): void {
    this.budget.refund(network);
  }
}

/** An IPv6 address in brackets, or an IPv4 address, with a port: some proxies name their clients like this. */
const WITH_PORT = /^\[([^\]]+)\](?::\d+)?$|^(\d+(?:\.\d+){3}):\d+$/;

/**
 * The network that shares one budget: an IPv4 address, even if it is written as an IPv6 one; of an IPv6 address the /64,
 * which one client can have for itself: `2001:db8:1:2:3::4` -> `2001:db8:1:2`. Any other text stays as it is.
 */
export function networkOf(client: string): string {
  const [, bracketed, beforePort] = WITH_PORT.exec(client) ?? [];
  const address = bracketed ?? beforePort ?? client;
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  return groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
}

/** The eight numbers of an IPv6 address in any notation (RFC 4291 2.2), without its zone. */
function groupsOf(address: string): number[] {
  const [plain = ''] = address.split('%', 1);
  const hex = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [before = '', after = ''] = hex.split('::');
  const [head = [], tail = []] = [before, after].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}
