import { describe, expect, it } from 'vitest';
import { AGENT_TOKEN, AgentAndRawApp } from './kit/apps/agent-and-raw-app.js';

const rig = new AgentAndRawApp();

describe('the request line', () => {
  it.each(['/', '/a//b/', '/%2e%2e/%2E/x', '/../../x', '/a%2Fb%40(?', '/?q=%20&q=a+b', '//h/x'])(
    'reaches the app byte for byte: %s',
    async (path) => {
      const { head } = await rig.begin(rig.get(path));
      expect(head.split('\r\n')[0]).toBe(`GET ${path} HTTP/1.1`);
    },
  );

  it('is / where nothing follows the prefix, and keeps the query', async () => {
    expect((await rig.begin(rig.get('?a'))).head).toMatch(/^GET \/\?a HTTP/);
    expect((await rig.begin(rig.get(''))).head).toMatch(/^GET \/ HTTP/);
  });

  it('is OPTIONS * for OPTIONS {prefix}/*', async () => {
    const { head } = await rig.begin(`${rig.line('OPTIONS', '/*')}\r\n`);
    expect(head).toMatch(/^OPTIONS \* HTTP\/1\.1\r\n/);
  });
});

describe('request headers', () => {
  it('are kept in order, case and number, without hop-by-hop ones and those that Connection names', async () => {
    const { head } = await rig.begin(
      `${rig.line('GET')}X-Request-Id: r1\r\nX-B: 1\r\nx-a: 2\r\nX-B: \xe93\r\n` +
        'X-Forwarded-Host: 80-cl-x.localhost\r\nConnection: keep-alive, X-Named\r\nX-Named: 1\r\n' +
        'Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers, deflate\r\nUpgrade-Insecure-Requests: 1\r\n\r\n',
    );
    expect(head.split('\r\n')).toEqual([
      'GET / HTTP/1.1',
      `Host: localhost:${rig.appPort}`,
      'X-Request-Id: r1',
      'X-B: 1',
      'x-a: 2',
      'X-B: \xe93',
      'X-Forwarded-Host: 80-cl-x.localhost',
      'Upgrade-Insecure-Requests: 1',
      'TE: trailers',
      'Connection: close',
      '',
      '',
    ]);
  });

  it('hold of X-Sandbox-* only the address that the app is seen at', async () => {
    const own = 'X-Sandbox-Url: https://80-cl-x.example.com\r\n';
    const { inside, head } = await rig.begin(
      `${rig.line('POST')}${own}x-sandbox-other: 1\r\nX-Sandbox-Error: agent;x\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `0\r\nX-Sandbox-Agent-Token: ${AGENT_TOKEN}\r\nX-Sum: 1\r\n\r\n`,
    );
    expect(head.match(/x-sandbox.*\r\n/gi)).toEqual([own]);
    expect(await inside.until('X-Sum: 1\r\n\r\n')).toBe('0\r\nX-Sum: 1\r\n\r\n');
  });

  it('name the app as it is known outside where it asks for that', async () => {
    const outside = 'X-Forwarded-Host: 80-cl-x.example.com\r\n';
    const external = await rig.begin(`${rig.line('GET')}${outside}X-Sandbox-App-Host: external\r\n\r\n`);
    expect(external.head).toContain('\r\nHost: 80-cl-x.example.com\r\n');
    expect(external.head).not.toMatch(/x-sandbox/i);
    const local = await rig.begin(`${rig.line('GET')}${outside}X-Sandbox-App-Host: local\r\n\r\n`);
    expect(local.head).toContain(`\r\nHost: localhost:${rig.appPort}\r\n`);
  });

  it('keep the framing that Connection names', async () => {
    const { inside } = await rig.begin(
      `${rig.line('POST')}Connection: content-length\r\nContent-Length: 2\r\n\r\nhi`,
    );
    expect(await inside.bytes(2)).toBe('hi');
  });

  it('pass in any number', async () => {
    const many = Array.from({ length: 2500 }, (_, i) => `X-N: ${i}\r\n`).join('');
    const { head } = await rig.begin(`${rig.line('GET')}${many}\r\n`);
    expect(head.match(/X-N: /g)).toHaveLength(2500);
  });
});

describe('request bodies', () => {
  it.each(['GET', 'DELETE', 'OPTIONS', 'POST', 'PROPFIND'])(
    'of %s are never unframed: chunked',
    async (method) => {
      // Sent without framing, the body would be the app's next request (CVE-2026-29057).
      const smuggled = 'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n';
      const { inside, head } = await rig.begin(
        `${rig.line(method)}Transfer-Encoding: chunked\r\n\r\n` +
          `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      );
      expect(head).toMatch(/\r\nTransfer-Encoding: chunked\r\n/i);
      expect(await inside.until('0\r\n\r\n')).toBe(
        `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      );
    },
  );

  it.each(['GET', 'DELETE', 'OPTIONS', 'POST'])('of %s keep their Content-Length', async (method) => {
    const { inside, head } = await rig.begin(`${rig.line(method)}Content-Length: 5\r\n\r\nhello`);
    expect(head).toContain('\r\nContent-Length: 5\r\n');
    expect(head).not.toMatch(/transfer-encoding/i);
    expect(await inside.bytes(5)).toBe('hello');
  });

  it('that do not exist are not invented', async () => {
    expect((await rig.begin(rig.get())).head).not.toMatch(/content-length|transfer-encoding/i);
    const { head } = await rig.begin(`${rig.line('POST')}\r\n`);
    expect(head).toContain('\r\nContent-Length: 0\r\n');
    expect(head).not.toMatch(/transfer-encoding/i);
  });

  it('stream: the head goes ahead of the first byte, and every byte ahead of the last', async () => {
    const { peer, inside } = await rig.begin(`${rig.line('PUT')}Transfer-Encoding: chunked\r\n\r\n`);
    peer.send('1\r\nx\r\n');
    expect(await inside.bytes(6)).toBe('1\r\nx\r\n');
  });

  it('carry their trailers, without those that would change framing', async () => {
    const { inside, head } = await rig.begin(
      `${rig.line('POST')}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n` +
        '1\r\nx\r\n0\r\nX-Sum: 1\r\nHost: x\r\n\r\n',
    );
    expect(head).toContain('\r\nTrailer: X-Sum\r\n');
    expect(await inside.until('\r\n\r\n')).toBe('1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n');
  });

  it('wait for the app to say 100 Continue', async () => {
    const { peer, inside, head } = await rig.begin(
      `${rig.line('POST')}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    expect(head).toContain('\r\nExpect: 100-continue\r\n');
    expect(peer.unread).toBe('');
    inside.send('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await peer.head()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    peer.send('ok');
    expect(await inside.bytes(2)).toBe('ok');
    inside.send('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 201 Created\r\n(?!.*Connection: close)/s);
    peer.send(rig.get('/next'));
    expect(await (await rig.accept()).head()).toMatch(/^GET \/next /);
  });

  it('are asked for after a second where the app says nothing', async () => {
    const { peer, inside } = await rig.begin(
      `${rig.line('POST')}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    const askedAt = performance.now();
    expect(await peer.head()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect(performance.now() - askedAt).toBeGreaterThan(900);
    peer.send('ok');
    expect(await inside.bytes(2)).toBe('ok');
    // too late to be asked again
    inside.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
  });

  it('are not asked for when the app refuses them', async () => {
    const { peer, inside } = await rig.begin(
      `${rig.line('POST')}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    inside.send('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n');
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 417 No\r\n/);
  });

  it('with another expectation are the app’s to judge', async () => {
    const { head } = await rig.begin(`${rig.line('POST')}Expect: a-miracle\r\nContent-Length: 0\r\n\r\n`);
    expect(head).toContain('\r\nExpect: a-miracle\r\n');
  });

  it('that stop being HTTP cut the answer off, and nothing is added to it', async () => {
    const { peer, inside } = await rig.begin(`${rig.line('POST')}Transfer-Encoding: chunked\r\n\r\n`);
    inside.send('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc');
    await peer.until('abc');
    peer.send('not a chunk\r\n');
    await expect(peer.rest()).resolves.toMatchObject({ bytes: '' });
    await inside.rest();
  });

  it('with Expect and a header beyond ASCII arrive with that header intact', async () => {
    // Node writes such a head as UTF-8 (nodejs/node #1693), so the agent asks for the body itself.
    const { peer, inside, head } = await rig.begin(
      `${rig.line('POST')}X-Name: \xe9\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    expect(head).toContain('\r\nX-Name: \xe9\r\n');
    await peer.until('HTTP/1.1 100 Continue\r\n\r\n');
    peer.send('ok');
    expect(await inside.bytes(2)).toBe('ok');
  });

  it("end the app's request when they break off", async () => {
    const { peer, inside } = await rig.begin(`${rig.line('PUT')}Content-Length: 100\r\n\r\nabc`);
    await inside.bytes(3);
    peer.close();
    await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
  });
});
