import { describe, expect, it } from 'vitest';
import { type Closable, ClosingOrder } from './closing-order.js';

const MAX = 80;

interface Connection extends Closable {
  readonly name: string;
}

/** By default a known client with a request under way. */
function connection(name: string, facts: Partial<Closable> = {}): Connection {
  return {
    name,
    isKnown: true,
    network: name,
    acceptedAtMs: 1_000,
    idleSinceMs: null,
    isStuck: false,
    isGone: false,
    ...facts,
  };
}

const stranger = (name: string, facts: Partial<Closable> = {}) =>
  connection(name, { isKnown: false, ...facts });

/** More than an eighth of `MAX`. */
const crowd = (network: string, count = 11, facts: Partial<Closable> = {}) =>
  Array.from({ length: count }, (_, index) => stranger(network, { network, acceptedAtMs: index, ...facts }));

function orderOf(...connections: Connection[]): string[] {
  const order = new ClosingOrder(connections, MAX);
  const names: string[] = [];
  for (let next = order.next(); next !== null; next = order.next()) names.push(next.name);
  return names;
}

describe('the client connection that is closed first', () => {
  it.each<[rule: string, first: Connection, second: Connection]>([
    [
      'is the one that has been idle for longest',
      connection('a', { idleSinceMs: 1 }),
      connection('b', { idleSinceMs: 2 }),
    ],
    [
      'is an idle one before one that does not read',
      connection('a', { idleSinceMs: 1 }),
      stranger('b', { isStuck: true }),
    ],
    [
      'is one that does not read, even a known one, before a stranger that does',
      connection('a', { isStuck: true }),
      stranger('b'),
    ],
    [
      'is the oldest of strangers with a request under way',
      stranger('a', { acceptedAtMs: 1 }),
      stranger('b', { acceptedAtMs: 2 }),
    ],
  ])('%s', (_, first, second) => {
    expect(orderOf(second, first)).toEqual([first.name, second.name]);
  });

  it("is the stranger's whose network holds more, where neither holds many", () => {
    const [pair, single] = [crowd('pair', 2, { acceptedAtMs: 9 }), stranger('single', { acceptedAtMs: 1 })];
    expect(orderOf(single, ...pair)).toEqual(['pair', 'pair', 'single']);
  });

  it('is one of a crowd before any other that is idle, those of a crowd that are idle first', () => {
    const busy = crowd('crowd', 10).map((each) => ({ ...each, name: 'busy' }));
    const idle = stranger('idle', { network: 'crowd', idleSinceMs: 5 });
    const other = connection('other', { idleSinceMs: 1 });
    expect(orderOf(other, ...busy, idle)).toEqual(['idle', ...busy.map(({ name }) => name), 'other']);
  });

  it('is one of the larger crowd', () => {
    expect(orderOf(...crowd('small', 11), ...crowd('large', 12)).slice(0, 12)).toEqual(
      Array.from({ length: 12 }, () => 'large'),
    );
  });
});

it('of connections that are equal in all this, the oldest is closed first', () => {
  const [a, b] = [connection('a', { idleSinceMs: 1 }), connection('b', { idleSinceMs: 1 })];
  expect(orderOf(a, b)).toEqual(['a', 'b']);
});

it('a known client whose request is under way is never closed, nor counted with the strangers of its network', () => {
  const known = Array.from({ length: 11 }, (_, index) => connection(`known ${index}`, { network: 'n' }));
  const idle = connection('idle', { idleSinceMs: 1 });
  const newer = stranger('newer', { network: 'n', idleSinceMs: 2 });
  expect(orderOf(...known, newer, idle)).toEqual(['idle', 'newer']);
});

it('a connection for which the reason has gone meanwhile is left out', () => {
  const [gone, used, stays] = [1, 2, 3].map((idleSinceMs) =>
    connection(String(idleSinceMs), { idleSinceMs }),
  );
  const order = new ClosingOrder([gone, used, stays] as Connection[], MAX);
  Object.assign(gone as Connection, { isGone: true });
  Object.assign(used as Connection, { idleSinceMs: null });
  expect([order.next()?.name, order.next()]).toEqual(['3', null]);
});
