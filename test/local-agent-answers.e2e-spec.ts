import { describe, expect, it } from 'vitest';
import { AgentAndRawApp, HALF_CLOSED_WAIT_MS } from './kit/apps/agent-and-raw-app.js';

const rig = new AgentAndRawApp();

describe('answers', () => {
  it('keep status line, order, case, duplicates and bytes beyond ASCII; hop-by-hop headers go', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send(
      'HTTP/1.1 299 Very \xe9 fine\r\nSet-Cookie: a=1\r\nx-b: \xe9\r\nSet-Cookie: b=2\r\nConnection: close, X-Hop\r\n' +
        'X-Hop: 1\r\nKeep-Alive: timeout=1\r\nX-Request-Id: r\r\nContent-Length: 2\r\n\r\nok',
    );
    expect((await peer.head()).split('\r\n')).toEqual([
      'HTTP/1.1 299 Very \xe9 fine',
      'Set-Cookie: a=1',
      'x-b: \xe9',
      'Set-Cookie: b=2',
      'X-Request-Id: r',
      'Content-Length: 2',
      // Node's own, for this connection; no Date where the app has sent none.
      'Connection: keep-alive',
      'Keep-Alive: timeout=620',
      '',
      '',
    ]);
    expect(await peer.bytes(2)).toBe('ok');
  });

  it('pass with any number of headers, up to a head of 128 kB', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send(`HTTP/1.1 204 No Content\r\n${'X-N: a value of some length\r\n'.repeat(2500)}\r\n`);
    expect((await peer.head()).match(/X-N: /g)).toHaveLength(2500);
  });

  it('open before their first byte', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(await peer.head()).toContain('text/event-stream');
    inside.send('4\r\n: x\n\r\n');
    expect(await peer.bytes(9)).toBe('4\r\n: x\n\r\n');
  });

  it('carry trailers', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: \xe9\r\nX-Sandbox-Error: agent;x\r\n\r\n',
    );
    expect(await peer.head()).toContain('\r\nTrailer: X-Sum\r\n');
    expect(await peer.until('\r\n\r\n')).toBe('1\r\nx\r\n0\r\nX-Sum: \xe9\r\n\r\n');
  });

  it('may be preceded by 103 Early Hints, several times', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
    inside.send(`${hints}${hints}HTTP/1.1 204 No Content\r\n\r\n`);
    expect(await peer.head()).toBe(hints);
    expect(await peer.head()).toBe(hints);
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', /Content-Length: 5\r\n/],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', /^HTTP\/1\.1 200 OK\r\n/],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n', /Content-Length: 5\r\n/],
    ['GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', /^(?!.*chunked)HTTP\/1\.1 204/s],
  ])('to %s without a body leave the connection usable: %j', async (method, response, expected) => {
    const { peer, inside } = await rig.begin(`${rig.line(method)}\r\n`);
    inside.send(response);
    expect(await peer.head()).toMatch(expected);
    peer.send(rig.get('/next'));
    expect(await (await rig.accept()).head()).toMatch(/^GET \/next /);
    expect(peer.unread).toBe('');
  });

  it('of an HTTP/1.0 app end where its connection ends', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello');
    inside.end();
    expect(await peer.head()).toContain('\r\nTransfer-Encoding: chunked\r\n');
    expect(await peer.until('0\r\n\r\n')).toBe('5\r\nhello\r\n0\r\n\r\n');
  });

  it('that come before the request has ended are passed on, and the connection stays usable', async () => {
    const { peer, inside } = await rig.begin(`${rig.line('POST')}Content-Length: 4000000\r\n\r\nab`);
    inside.send('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 413 /);
    peer.send('c'.repeat(3_999_998) + rig.get('/next'));
    expect(await (await rig.accept()).head()).toMatch(/^GET \/next /);
  });

  it("get the prefix in a Location that is the app's own", async () => {
    const { peer, inside } = await rig.begin(rig.get('/dir'));
    inside.send(
      `HTTP/1.1 301 Moved\r\nLocation: /dir/\r\nLocation: http://localhost:${rig.appPort}/x\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(await peer.head()).toContain(`\r\nLocation: ${rig.prefix}/dir/\r\nLocation: ${rig.prefix}/x\r\n`);
  });

  it("cannot claim to be the agent's", async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send(
      'HTTP/1.1 103 Early Hints\r\nx-sandbox-error: agent;x\r\nLink: <a>\r\n\r\n' +
        'HTTP/1.1 502 Bad\r\nX-Sandbox-Error: agent;app_unreachable\r\nx-sandbox-other: 1\r\nContent-Length: 0\r\n\r\n',
    );
    expect(await peer.head()).toBe('HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n');
    expect(await peer.head()).not.toMatch(/x-sandbox/i);
  });
});

describe('answers that come before the request has been read', () => {
  // Node destroys a socket on which a write fails; of 2 MB posted to Python's http.server 1 answer of 10 arrived.
  it.each([
    ['FIN', 'HTTP/1.1 413 Too Large\r\nX-Why: size\r\nContent-Length: 4\r\n\r\nbig\n', 'big\n'],
    ['RST', 'HTTP/1.1 413 Too Large\r\nX-Why: size\r\nContent-Length: 4\r\n\r\nbig\n', 'big\n'],
    ['FIN', 'HTTP/1.0 401 No\r\nX-Why: key\r\n\r\nkey\n', '4\r\nkey\n\r\n0\r\n\r\n'],
    ['RST', 'HTTP/1.1 302 Found\r\nX-Why: move\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n', ''],
  ])('arrive though the app hangs up by %s: %j', async (how, answer, body) => {
    const upload = 'x'.repeat(2_000_000);
    for (let round = 0; round < 12; round += 1) {
      const { peer, inside } = await rig.begin(`${rig.line('POST')}Content-Length: ${upload.length}\r\n\r\n`);
      inside.socket.pause();
      peer.send(upload);
      inside.send(answer);
      // with bytes unread, closing is a reset
      if (how === 'FIN') inside.end();
      else inside.socket.write('', () => inside.close());
      const head = await peer.head();
      expect(head).toMatch(/^HTTP\/1\.1 (413|401|302) /);
      expect(head).toContain('\r\nX-Why: ');
      expect(await peer.bytes(body.length)).toBe(body);
      inside.close();
      peer.send(rig.get('/next'));
      expect(await (await rig.accept()).head()).toMatch(/^GET \/next /);
      peer.close();
    }
  });
});

describe('a client that ends its side of the connection', () => {
  it('gets the answer to what it has asked', async () => {
    for (const request of [rig.get(), `${rig.line('POST')}Content-Length: 2\r\n\r\nhi`]) {
      const { peer, inside } = await rig.begin(request);
      peer.end();
      inside.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n');
      expect(await peer.until('yes\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      inside.send('0\r\n\r\n');
      expect(await peer.rest()).toEqual({ bytes: '0\r\n\r\n', ending: 'fin' });
    }
  });

  it.each([
    ['has not begun', ''],
    ['has begun', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n'],
  ])('is taken for gone where the answer %s and the app is silent', async (_state, begun) => {
    const { peer, inside } = await rig.begin(rig.get());
    if (begun) inside.send(begun);
    if (begun) await peer.until('yes\r\n');
    peer.end();
    await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
    expect(await peer.rest()).toEqual({ bytes: '', ending: 'rst' });
  });

  it('may wait for long where the app goes on speaking', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    peer.end();
    await peer.head();
    const endsAt = performance.now() + 2.5 * HALF_CLOSED_WAIT_MS;
    while (performance.now() < endsAt) {
      inside.send('3\r\nyes\r\n');
      expect(await peer.until('yes\r\n')).toBe('3\r\nyes\r\n');
      await new Promise((resolve) => void setTimeout(resolve, HALF_CLOSED_WAIT_MS / 10));
    }
    inside.send('0\r\n\r\n');
    expect(await peer.rest()).toEqual({ bytes: '0\r\n\r\n', ending: 'fin' });
  });
});

describe('answers that break off', () => {
  it.each([
    ['in a counted body', 'Content-Length: 10\r\n\r\nhel', 'hel'],
    ['in a chunked body', 'Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n', '3\r\nhel\r\n'],
    ['in the middle of a chunk', 'Transfer-Encoding: chunked\r\n\r\n9\r\nhel', '3\r\nhel\r\n'],
  ])('%s reach the client cut off, with what had arrived', async (_where, rest, received) => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send(`HTTP/1.1 200 OK\r\n${rest}`);
    await peer.head();
    expect(await peer.bytes(received.length)).toBe(received);
    inside.close();
    expect((await peer.rest()).bytes).toBe('');
  });

  it('by a reset, where only the end of the connection ends the body, have no clean end', async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send('HTTP/1.0 200 OK\r\n\r\nhello');
    await peer.until('hello\r\n');
    inside.socket.resetAndDestroy();
    expect((await peer.rest()).bytes).toBe('');
  });

  it('reach an HTTP/1.0 client as a reset', async () => {
    const { peer, inside } = await rig.begin(`${rig.line('GET', '/', '1.0')}\r\n`);
    inside.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n');
    expect(await peer.until('hel')).not.toMatch(/chunked/);
    inside.close();
    expect((await peer.rest()).ending).toBe('rst');
  });

  it("end the app's request when it is the client who leaves", async () => {
    const { peer, inside } = await rig.begin(rig.get());
    inside.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n');
    await peer.until('x\r\n');
    peer.close();
    await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
  });

  it("end the app's request when the client leaves before the answer", async () => {
    const { peer, inside } = await rig.begin(rig.get());
    peer.close();
    await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
  });
});
