import { expect } from 'vitest';
import { answer, always, SWITCH_TO_WEBSOCKET } from '../kit/agent.js';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';

/** The bugs of known Node proxies, by the number of their issues. */
test('advisories/http-proxy-1261 — a Trailer field on an answer with Content-Length crashes nothing [http-party/node-http-proxy#1261, #1647, nodejs/node#41562]', async (world) => {
  const stage = await world.stage(always('HTTP/1.1 200 OK\r\nTrailer: X-T\r\nContent-Length: 2\r\n\r\nok'));
  const got = await stage.ask('GET', '/');
  expect([got.status, got.body, got.all('trailer')], 'answer').toEqual([200, 'ok', []]);
  stage.agent.script = always(answer(200, 'ok'));
  await stage.proveClean();
});

test('advisories/http-proxy-1468 — a reset of either side at any moment kills no process [http-party/node-http-proxy#1468, #1286]', async (world) => {
  for (let step = 0; step < 12; step++) {
    const stage = await world.stage(async (exchange) => {
      if (exchange.request.isUpgrade) exchange.tunnel(SWITCH_TO_WEBSOCKET);
      else exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n');
      await pause(step * 3);
      exchange.connection.reset();
    });
    const [http, tunnel] = [await stage.client(), await stage.client()];
    http.send(`${stage.head('POST', '/', ['Content-Length: 100'])}abc`);
    tunnel.send(stage.upgrade('/'));
    await pause(step * 4);
    http.reset();
    tunnel.reset();
    await stage.released();
  }
});

test('advisories/http-proxy-1510 — a WebSocket client that leaves takes its upstream connection along [http-party/node-http-proxy#1510, #293]', async (world) => {
  const stage = await world.stage((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET));
  for (let i = 0; i < 20; i++) (await stage.send(stage.upgrade('/'))).client.close();
  await stage.released();
});

test('advisories/http-proxy-1586 — a client that leaves before the answer ends the upstream request [http-party/node-http-proxy#1586, #1559]', async (world) => {
  const stage = await world.stage(() => new Promise(() => {}));
  const clients = await Promise.all(Array.from({ length: 20 }, () => stage.client()));
  for (const client of clients) client.send(stage.head('GET', '/'));
  await until(() => stage.agent.received.length === 20, 'twenty waiting');
  for (const client of clients) client.close();
  await stage.released();
});

test('advisories/configurable-http-proxy-434 — tunnels whose one side dies do not stay half open [jupyterhub/configurable-http-proxy#434, #388]', async (world) => {
  const stage = await world.stage((exchange) => {
    exchange.tunnel(SWITCH_TO_WEBSOCKET);
    setTimeout(
      () => (exchange.index % 2 ? exchange.connection.reset() : exchange.connection.socket.destroy()),
      30,
    );
  });
  const clients = [];
  for (let i = 0; i < 20; i++) clients.push((await stage.send(stage.upgrade('/'))).client);
  for (const client of clients) await client.closed();
});
