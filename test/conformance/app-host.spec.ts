import { expect } from 'vitest';
import { answer } from '../kit/agent.js';
import { type Door, DOORS } from '../kit/requests.js';
import { test } from './test.js';
import { checkOwn, type Stage, type World } from './world.js';

// An app compares Origin with Host and with X-Forwarded-Host and -Proto: it must see itself in one way in all of them.

const ADDRESSES = ['X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https', 'Forwarded: host=evil.test'];

const origin = ({ host }: Stage): string => `http://${host}`;

/** What the app was told, by the names of what tells it where it is. */
async function told(stage: Stage, door: Door, lines: readonly string[]): Promise<Record<string, string[]>> {
  const { answer: got } = await stage.send(stage.knock(door, '/h', lines));
  expect(got.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
  const names = 'origin referer x-forwarded-host x-forwarded-proto forwarded x-sandbox-app-host'.split(' ');
  const seen = await stage.agent.request();
  return Object.fromEntries(
    names.map((name) => [name, seen.values(name)] as const).filter(([, values]) => values.length > 0),
  );
}

async function external(world: World): Promise<Stage> {
  const stage = await world.stage();
  await world.platform.query(
    `INSERT INTO sandbox_ports (sandbox_id, port, visibility, app_host) VALUES ($1, $2, 'private', 'external')`,
    [stage.row.uuid, stage.port],
  );
  stage.isExternal = true;
  return stage;
}

for (const door of DOORS) {
  test(`app-host/${door}/local — an app sees itself as localhost, and is told no other address [RFC 6454 4]`, async (world) => {
    const stage = await world.stage();
    const lines = [`Origin: ${origin(stage)}`, `Referer: ${origin(stage)}/b`, ...ADDRESSES];
    expect(await told(stage, door, lines), 'told').toEqual({
      origin: ['http://localhost:3000'],
      referer: ['http://localhost:3000/b'],
    });
  });

  test(`app-host/${door}/local-behind-a-proxy — a trusted proxy tells it no other address either [RFC 6454 4]`, async (base) => {
    const stage = await (await base.on('trusted')).stage();
    expect(await told(stage, door, ADDRESSES), 'told').toEqual({});
  });

  test(`app-host/${door}/local-impostor — a page on the visitor's own machine does not pass for the app's [CWE-346]`, async (world) => {
    const lines = ['Origin: http://localhost:3000', 'Referer: http://localhost:3000/'];
    expect(await told(await world.stage(), door, lines), 'told').toEqual({ origin: ['null'] });
  });

  test(`app-host/${door}/external — an app that is to see itself from outside is told that address alone [RFC 6454 4]`, async (world) => {
    const stage = await external(world);
    const lines = [`Origin: ${origin(stage)}`, `Referer: ${origin(stage)}/b`, ...ADDRESSES];
    expect(await told(stage, door, lines), 'told').toEqual({
      origin: [origin(stage)],
      referer: [`${origin(stage)}/b`],
      'x-forwarded-host': [stage.host],
      'x-forwarded-proto': ['http'],
      'x-sandbox-app-host': ['external'],
    });
  });
}

test('app-host/allowed-origin — a page of the sandbox that the app allows as localhost is allowed by its own name [WHATWG Fetch 3.3]', async (world) => {
  const stage = await world.stage((exchange) => {
    exchange.send(answer(200, 'ok', ['Access-Control-Allow-Origin: http://localhost:3001']));
  });
  const page = origin(stage).replace('3000-', '3001-');
  const allowed = async (from: string): Promise<string[]> =>
    (await stage.ask('GET', '/a', [`Origin: ${from}`])).all('access-control-allow-origin');
  expect(await allowed(page), 'to that page').toEqual([page]);
  expect(await allowed('http://localhost:3001'), "to a page on the visitor's own machine").toEqual([]);
});

test('app-host/location — a redirect to the app at localhost leads to where the visitor is [RFC 9110 10.2.2]', async (world) => {
  const stage = await world.stage((exchange) => {
    exchange.send(answer(302, '', ['Location: http://localhost:3000/next']));
  });
  expect((await stage.ask('GET', '/a')).all('location'), 'Location').toEqual(['/next']);
});

test('app-host/forces-https — an app at localhost that wants HTTPS of the same path is a 502, not a loop [RFC 9110 15.4]', async (world) => {
  const stage = await world.stage((exchange) => {
    exchange.send(answer(301, '', ['Location: https://localhost:3000/a']));
  });
  checkOwn(await stage.ask('GET', '/a'), 502, 'app_forces_https');
});
