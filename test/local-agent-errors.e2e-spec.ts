import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AGENT_TOKEN, AgentAndRawApp, DENIED_PORT, SANDBOX_ID } from './kit/apps/agent-and-raw-app.js';

const rig = new AgentAndRawApp();
const TOKEN = `X-Sandbox-Agent-Token: ${AGENT_TOKEN}\r\n`;
/** A sandbox that the agent does not run. */
const OTHER_ID = 'cl-0000000000000000000000002';

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
    [`/proxy/${OTHER_ID}/80/`, 404, 'sandbox_not_found'],
    [`/proxy/${OTHER_ID}/${DENIED_PORT}/`, 404, 'sandbox_not_found'],
    [`/proxy/${SANDBOX_ID}/${DENIED_PORT}/`, 403, 'port_denied'],
    [`/proxy/${SANDBOX_ID}/1/`, 502, 'app_unreachable'],
  ])('to %s is %i %s', async (url, status, code) => {
    const requests = [
      `${rig.lineTo(url)}\r\n`,
      `${rig.lineTo(url)}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ];
    for (const request of requests) {
      const { head, error } = await own(request);
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
      expect(head).toContain(`\r\nX-Sandbox-Error: agent;${code}\r\n`);
      expect(error).toEqual({ code, message: expect.any(String) });
    }
  });

  // a page whose own name leads to this address (DNS rebinding) sends that name; a duplicate hides one
  it.each([
    ['another name', 'Host: page.example:$'],
    ['localhost', 'Host: localhost:$'],
    ['another port', 'Host: 127.0.0.1:1$'],
    ['no port', 'Host: 127.0.0.1'],
    ['nothing', 'X-Host: 127.0.0.1:$'],
    ['its address and a name', 'Host: 127.0.0.1:$\r\nHost: page.example:$'],
  ])('to a Host header that says %s is 421', async (_what, host) => {
    const line = `GET ${rig.prefix}/ HTTP/1.1\r\n${host.replaceAll('$', String(rig.agentPort))}\r\n${TOKEN}`;
    for (const request of [`${line}\r\n`, `${line}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`]) {
      const { head } = await own(request);
      expect(head).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
      expect(head).toContain('\r\nX-Sandbox-Error: agent;bad_request\r\n');
    }
  });

  it.each([
    ['no token', ''],
    ['an empty token', 'X-Sandbox-Agent-Token:\r\n'],
    ['another token', `X-Sandbox-Agent-Token: ${AGENT_TOKEN}x\r\n`],
    ['two tokens', TOKEN + TOKEN],
  ])('to %s is 403, whatever is asked', async (_what, token) => {
    for (const target of [
      `${rig.prefix}/`,
      '/',
      `/proxy/${OTHER_ID}/80/`,
      `/proxy/${SANDBOX_ID}/${DENIED_PORT}/`,
    ]) {
      const line = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${rig.agentPort}\r\n${token}`;
      for (const request of [`${line}\r\n`, `${line}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`]) {
        const { head } = await own(request);
        expect(head).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
        expect(head).toContain('\r\nX-Sandbox-Error: agent;unauthorized\r\n');
      }
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
      `${rig.line('POST')}${upgrade}`,
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
