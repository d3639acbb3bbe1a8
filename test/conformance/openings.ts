import { expect } from 'vitest';
import { answer, type Script, SWITCH_TO_WEBSOCKET } from '../kit/agent.js';
import type { RawConnection } from '../kit/raw-connection.js';
import type { Stage, World } from './world.js';

/** Answers `200 ok` once the body is in. */
export const sendOk: Script = async (exchange) => {
  await exchange.body();
  exchange.send(answer(200, 'ok'));
};

/** Uses the connection once and leaves it idle. */
export async function warm(stage: Stage): Promise<void> {
  expect((await stage.ask('GET', '/warm')).status, 'first request').toEqual(200);
  await stage.world.roundTrip();
}

export interface Tunnel {
  readonly stage: Stage;
  readonly client: RawConnection;
}

/** A tunnel that is open at both ends, with nothing sent yet. */
export async function openTunnel(world: World, script?: Script): Promise<Tunnel> {
  const stage = await world.stage(script ?? ((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET)));
  const { client, answer: got } = await stage.send(stage.upgrade('/ws'));
  expect(got.status, 'status').toEqual(101);
  return { stage, client };
}
