import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Credential, Machines } from './machines.js';
import {
  ask,
  type Closed,
  codeOf,
  Download,
  openSocket,
  type Place,
  type SandboxSocket,
} from './sandbox-client.js';

/** Told by the application's own change feed: at once, and a slow machine's share. */
const BY_FEED_MS = 2_000;
/** Without one it is asked again after 5 s; a second for the clock that looks, and a slow machine's share. */
const WITHOUT_FEED_MS = 8_000;

/** A WebSocket and a download that a credential has opened. */
interface Opened {
  readonly socket: SandboxSocket;
  readonly download: Download;
}

async function open(place: Place, { fields }: Credential): Promise<Opened> {
  return { socket: await openSocket(place, fields), download: await Download.start(place, fields) };
}

/** How both ended, and how long after `startedAt` the later one did. */
async function endOf(
  { socket, download }: Opened,
  startedAt: number,
): Promise<Closed & { afterMs: number; said: string }> {
  const [closed, said] = await Promise.all([socket.closed, download.over]);
  return { ...closed, said, afterMs: performance.now() - startedAt };
}

/** How the credential is refused, by then at the latest; what was remembered may admit it until then. */
async function refusal(place: Place, { fields }: Credential, deadlineMs: number) {
  for (;;) {
    const answer = await ask(place, { fields });
    if (answer.status !== 200 || performance.now() > deadlineMs) return [answer.status, codeOf(answer)];
    await sleep(100);
  }
}

function expectOpen({ socket, download }: Opened): void {
  expect(socket.isOpen && download.isOpen).toBe(true);
}

const CASES = [
  ['express', 'src', BY_FEED_MS],
  ['fastify', 'src', BY_FEED_MS],
  ['express-nest-11', 'src', BY_FEED_MS],
  ['express', 'src-without-feed', WITHOUT_FEED_MS],
  ['fastify', 'src-without-feed', WITHOUT_FEED_MS],
] as const;

describe.each(CASES)('what a credential has opened ends with it: %s, %s', (name, variant, withinMs) => {
  let machines: Machines;
  let place: Place;
  /** Of another credential of the same owner, at the same machine. */
  let neighbour: Opened;
  beforeAll(async () => {
    machines = await Machines.start(name, { variant });
    place = machines.place(await machines.machine('blue'));
    neighbour = await open(place, await machines.key('blue'));
  });
  afterAll(() => machines?.stop());

  const CREDENTIALS = [
    ['a key', () => machines.key('blue'), (credential: Credential) => machines.deleteKey(credential)],
    [
      "the application's own token",
      () => machines.token('blue'),
      (credential: Credential) => machines.revokeToken(credential),
    ],
  ] as const;

  test.concurrent.each(CREDENTIALS)('%s', async (_, make, revoke) => {
    const credential = await make();
    const opened = await open(place, credential);
    expectOpen(opened);
    const startedAt = performance.now();
    await revoke(credential);
    const end = await endOf(opened, startedAt);
    expect(end.code).toBe(1008);
    expect(end.afterMs).toBeLessThan(withinMs);
    // cut off, not ended: no last chunk
    expect(end.said).toMatch(/first\n\r\n$/);
    expect(await refusal(place, credential, startedAt + withinMs)).toEqual([401, 'unauthorized']);
    expectOpen(neighbour);
    await neighbour.socket.echo(credential.id);
  });

  test.concurrent('a machine that is turned off', async () => {
    const off = machines.place(await machines.machine('blue'));
    const credential = await machines.token('blue');
    const opened = await open(off, credential);
    const startedAt = performance.now();
    await machines.turnOff(off.sandboxId);
    const end = await endOf(opened, startedAt);
    expect(end.code).toBe(1001);
    expect(end.afterMs).toBeLessThan(withinMs);
    expect(await refusal(off, credential, startedAt + withinMs)).toEqual([409, 'sandbox_not_running']);
    expectOpen(neighbour);
  });

  test.concurrent('a token whose time is over', async () => {
    const opened = await open(place, await machines.token('blue', 3));
    const end = await endOf(opened, performance.now());
    expect(end.code).toBe(1008);
    expect(end.afterMs).toBeLessThan(3_000 + WITHOUT_FEED_MS);
    expectOpen(neighbour);
  });
});
