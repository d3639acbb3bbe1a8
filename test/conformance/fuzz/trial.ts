import assert from 'node:assert/strict';
import { answer, SWITCH_TO_WEBSOCKET } from '../../kit/agent.js';
import { pause } from '../../kit/wait.js';
import type { World } from '../world.js';

/** One exchange: what the client sends and what the sandbox answers, as latin-1 strings; `HOST` and `KEY` are filled in. */
export interface Trial {
  readonly request: string;
  readonly answer: string;
  /** Offsets at which each side pauses, so that bytes arrive in pieces. */
  readonly cuts: readonly number[];
}

export const HOST = '{host}';
export const KEY = '{key}';

/** A link's or a session's, whole. */
const TOKEN = /wr[ls]_[0-9a-z]{25}[\w-]{43}/;

/**
 * Plays a trial and checks what must hold whatever was sent: at most one request upstream for one answered, all
 * of it well formed (checked when the world is finished), the client's bytes an HTTP answer, the neighbour clean.
 */
export async function play(world: World, trial: Trial): Promise<'answered' | 'cut'> {
  const stage = await world.stage(async (exchange) => {
    if (exchange.request.target.includes('/next-')) return void exchange.send(answer(200, 'next'));
    if (exchange.request.isUpgrade && trial.answer.length % 3 === 0)
      return void exchange.tunnel(SWITCH_TO_WEBSOCKET);
    for (const piece of pieces(trial.answer, trial.cuts)) {
      exchange.send(piece);
      await pause(1);
    }
    if (/ 101 /.test(trial.answer)) exchange.tunnel();
    setTimeout(() => exchange.connection.end(), 60).unref();
  });
  const neighbour = await stage.neighbour();
  const client = await stage.client();
  for (const piece of pieces(
    trial.request.replaceAll(HOST, stage.host).replaceAll(KEY, stage.key),
    trial.cuts,
  )) {
    client.send(piece);
    await pause(1);
  }
  setTimeout(() => client.end(), 120).unref();
  const deadline = performance.now() + 700;
  while (client.ending === null && performance.now() < deadline) await pause(5);
  client.close();
  // Bytes of a body that never came are no second request: count what was asked for on the wire.
  const asked =
    (trial.request.match(/HTTP\/\d/g)?.length ?? 0) + (trial.request.match(/^\S+ \S+\s*$/gm)?.length ?? 0);
  assert(
    stage.agent.received.length <= Math.max(1, asked) * 2,
    `${stage.agent.received.length} requests upstream for ${asked}`,
  );
  for (const { head: request } of stage.agent.received) {
    assert(!request.fields.some(([, value]) => TOKEN.test(value)), 'a token of ours in a field upstream');
    assert(!TOKEN.test(request.target), 'a token of ours in the target upstream');
    const [, query = ''] = /\?(.*)$/.exec(request.target) ?? [];
    assert(!new URLSearchParams(query).has('sandbox_link'), 'the link parameter upstream');
  }
  const text = client.transcript;
  if (text !== '') assert(/^HTTP\/1\.[01] \d{3}/.test(text), `the client got no HTTP: ${text.slice(0, 80)}`);
  assert(!/\r(?!\n)/.test(text.slice(0, text.indexOf('\r\n\r\n') + 4)), 'bare CR towards the client');
  const head = text.slice(0, Math.max(0, text.indexOf('\r\n\r\n')));
  const cookies = head.split('\r\n').filter((line) => /^set-cookie:/i.test(line));
  assert(
    !cookies.some((line) => /domain=sandbox\.test|:\s*sandbox_session=/i.test(line)),
    'a cookie for others',
  );
  // The neighbour on the same host gets its own answer.
  const next = await world.client();
  next.send(neighbour.head('GET', '/next-tenant'));
  const got = await next.answer();
  assert.deepEqual([got.status, got.body], [200, 'next'], 'the next tenant’s answer');
  return text === '' ? 'cut' : 'answered';
}

function pieces(wire: string, cuts: readonly number[]): string[] {
  const points = [0, ...cuts.filter((cut) => cut > 0 && cut < wire.length), wire.length].toSorted(
    (a, b) => a - b,
  );
  return points.slice(1).map((point, i) => wire.slice(points[i], point));
}
