import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AgentAndRawApp, DENIED_PORT, SANDBOX_ID } from './kit/apps/agent-and-raw-app.js';

const rig = new AgentAndRawApp();

/** The agent's own answer to a request: its head and its error. */
async function own(request: string): Promise<{ head: string; error: unknown }> {
  const peer = await rig.client();
  peer.send(request);
  const head = await peer.head();
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  return { head, error: (JSON.parse(await peer.bytes(length)) as { error: unknown }).error };
}

describe("the agent's own answers", () => {
  it.each([
    ['/', 400, 'bad_request'],
    [`/proxy/${SANDBOX_ID}/0/`, 400, 'bad_request'],
    [`http://h/proxy/${SANDBOX_ID}/80/`, 400, 'bad_request'],
    [`/proxy/${SANDBOX_ID}/${DENIED_PORT}/`, 403, 'port_denied'],
    [`/proxy/${SANDBOX_ID}/1/`, 502, 'app_unreachable'],
  ])('to %s is %i %s', async (url, status, code) => {
    const requests = [
      `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ];
    for (const request of requests) {
      const { head, error } = await own(request);
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
      expect(head).toContain(`\r\nX-Sandbox-Error: agent;${code}\r\n`);
      expect(error).toEqual({ code, message: expect.any(String) });
    }
  });

  it('to its own port is 403', async () => {
    expect((await own(rig.get().replace(`/${rig.appPort}/`, `/${rig.agentPort}/`))).head).toContain(
      'agent;port_denied',
    );
  });

  it('to what is not HTTP, to CONNECT and to an upgrade with a body is 400', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nhi';
    for (const request of [
      'NONSENSE\r\n\r\n',
      'CONNECT localhost:80 HTTP/1.1\r\nHost: a\r\n\r\n',
      `POST ${rig.prefix}/ HTTP/1.1\r\nHost: a\r\n${upgrade}`,
    ]) {
      const { head } = await own(request);
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
      expect(head).toContain('\r\nX-Sandbox-Error: agent;bad_request\r\n');
    }
  });

  it.each([
    ['hangs up', ''],
    ['is not HTTP', 'SSH-2.0-OpenSSH\r\n'],
    ['has an impossible status', 'HTTP/1.1 099 Nope\r\nContent-Length: 0\r\n\r\n'],
    ['has a status without digits', 'HTTP/1.1 abc Nope\r\n\r\n'],
    ['switches protocols unasked', 'HTTP/1.1 101 OK\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nGET'],
    ['switches protocols without saying to what', 'HTTP/1.1 101 OK\r\n\r\n'],
    ['has a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
    ['counts its body twice', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ])('to an app whose answer %s is 502, and the agent goes on', async (_what, bytes) => {
    const { peer, inside } = await rig.begin(rig.get());
    if (bytes) inside.send(bytes);
    inside.end();
    expect(await peer.until('}}')).toContain('\r\nX-Sandbox-Error: agent;app_broken_response\r\n');
    peer.send(rig.get('/next'));
    expect(await (await rig.accept()).head()).toMatch(/^GET \/next /);
  });

  it('leaves out the Trailer of an answer that can have none', async () => {
    // Node throws ERR_HTTP_TRAILER_INVALID on it, which ended the process of three well-known proxies.
    const { peer, inside } = await rig.begin(rig.get());
    inside.send('HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok');
    expect(await peer.until('ok')).toMatch(/^HTTP\/1\.1 200 OK\r\n(?!.*Trailer)/s);
  });
});

describe('an app that listens on IPv6 loopback alone', () => {
  // Development servers that listen on `localhost` often do.
  it('is reached all the same', async () => {
    const server = createServer((_request, response) => response.end('six'));
    const isSix = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(0, '::1', () => resolve(true));
    });
    const { port } = isSix ? (server.address() as AddressInfo) : { port: 1 };
    const peer = await rig.client();
    peer.send(rig.get().replace(`/${rig.appPort}/`, `/${port}/`));
    expect(await peer.until(isSix ? 'six' : '}}')).toMatch(isSix ? / 200 / : /agent;app_unreachable/);
    server.close();
    server.closeAllConnections();
  });
});
