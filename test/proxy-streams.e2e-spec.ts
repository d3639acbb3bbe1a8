import { describe, expect, it } from 'vitest';
import { DOORS, EMPTY_OK, ProxyStage, SWITCHING } from './kit/proxy-stage.js';
import type { Ending } from './kit/byte-stream.js';
import { fieldsOfHead, wholeAnswer } from './kit/answer.js';
import type { RawConnection } from './kit/raw-connection.js';
import { settled } from './kit/wait.js';

const stage = new ProxyStage();
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
const FOUR_MB = Buffer.alloc(4_000_000, 'x');

/** Writes pieces of 4 MB for as long as the other side takes them, and gives how many bytes it took in vain. */
async function pour(from: RawConnection): Promise<number> {
  const more = (): void => {
    while (from.socket.bytesWritten < 400_000_000 && from.socket.write(FOUR_MB));
  };
  from.socket.on('drain', more);
  more();
  return settled(() => from.socket.bytesWritten);
}

/** What the client gets of an answer that the agent cuts off, behind its first `hel`. */
async function cut(bytes: string, isOld = false): Promise<{ bytes: string; ending: Ending }> {
  const request = stage.head('GET', '/').replace('HTTP/1.1', isOld ? 'HTTP/1.0' : 'HTTP/1.1');
  const { client, upstream } = await stage.begin(request);
  upstream.send(bytes);
  await client.until('hel');
  upstream.socket.resetAndDestroy();
  return client.rest();
}

describe('the response', () => {
  it('reaches the client as it comes: head at once, each event at once (SSE)', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/events'));
    upstream.send(`${CHUNKED}Content-Type: text/event-stream\r\n\r\n`);
    expect(await client.head()).toContain('text/event-stream');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      upstream.send(`9\r\n${event}\r\n`);
      expect(await client.until('\n\n\r\n')).toContain(event);
    }
  });

  it('keeps its framing: length, chunks, none', async () => {
    const client = await stage.client();
    const answers = [
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      `${CHUNKED}\r\n5;x=1\r\nhello\r\n0\r\n\r\n`,
    ];
    const got: unknown[] = [];
    let upstream: RawConnection | undefined;
    for (const bytes of answers) {
      client.send(stage.head('GET', '/'));
      upstream ??= await stage.accept();
      await upstream.head();
      upstream.send(bytes);
      const { body, header } = await wholeAnswer(client);
      got.push([body, header('content-length'), header('transfer-encoding')]);
    }
    expect(got).toEqual([
      ['', undefined, undefined],
      ['hello', '5', undefined],
      ['hello', undefined, 'chunked'],
    ]);
  });

  it('that ends with its connection becomes chunks, with their end', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send('HTTP/1.0 200 OK\r\n\r\nhello');
    upstream.end();
    expect(await wholeAnswer(client)).toMatchObject({ status: 200, body: 'hello' });
  });

  it('carries its trailers, without those that could be merged into the head', async () => {
    const trailers =
      'X-Sum: abc\r\nServer-Timing: a;dur=1\r\nSet-Cookie: a=1\r\nX-Sandbox-Error: proxy;x\r\n';
    const { answer } = await stage.exchange(
      stage.head('GET', '/', ['TE: trailers']),
      `${CHUNKED}Trailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`,
    );
    expect(answer.trailers).toEqual([
      ['X-Sum', 'abc'],
      ['Server-Timing', 'a;dur=1'],
    ]);
  });

  it('to a HEAD has the length of what is not sent, and the connection goes on', async () => {
    const client = await stage.client();
    client.send(stage.head('HEAD', '/'));
    const upstream = await stage.accept();
    await upstream.head();
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    expect((await wholeAnswer(client, 'HEAD')).header('content-length')).toBe('1000');
    client.send(stage.head('GET', '/'));
    await upstream.head();
    upstream.send(EMPTY_OK);
    expect((await wholeAnswer(client)).status).toBe(200);
  });

  it('is preceded by its early hints (103), and by each of them', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\n\r\n');
    expect(await client.head()).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
    upstream.send('HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n');
    expect(await client.head()).toContain('b.css');
    upstream.send(EMPTY_OK);
    expect((await wholeAnswer(client)).status).toBe(200);
  });

  it('is read no faster than the client takes it', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    client.socket.pause();
    upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n`);
    expect(await pour(upstream)).toBeLessThan(100_000_000);
  });

  it('that breaks off breaks off for the client too, and does not end', async () => {
    const sized = await cut('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    expect(sized.bytes.length).toBeLessThan(7);
    const chunked = await cut(`${CHUNKED}\r\n5\r\nhello\r\n`);
    expect(chunked.bytes).not.toContain('0\r\n\r\n');
    expect((await cut(`${CHUNKED}\r\n5\r\nhello\r\n`, true)).ending).toBe('rst');
    expect((await cut('HTTP/1.1 200 OK\r\n\r\nhello', true)).ending).toBe('rst');
  });

  it('that breaks off by a FIN in the middle is no clean end either', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send(`${CHUNKED}\r\n5\r\nhello\r\n`);
    upstream.end();
    const { bytes } = await client.rest();
    expect(bytes).toContain('hello');
    expect(bytes).not.toContain('0\r\n\r\n');
  });
});

describe('the request', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'PROPFIND'])(
    'body of a %s keeps its framing: length and chunks',
    async (method) => {
      const first = `${stage.head(method, '/', ['Content-Length: 5'])}hello`;
      const { head, client, upstream } = await stage.begin(first);
      expect(fieldsOfHead(head)).toContainEqual(['Content-Length', '5']);
      expect(await upstream.bytes(5)).toBe('hello');
      upstream.send(EMPTY_OK);
      await wholeAnswer(client);
      client.send(`${stage.head(method, '/2', ['Transfer-Encoding: chunked'])}2;e=1\r\nok\r\n0\r\n\r\n`);
      expect(fieldsOfHead(await upstream.head())).toContainEqual(['Transfer-Encoding', 'chunked']);
      expect((await upstream.chunks()).body).toBe('ok');
    },
  );

  it('carries its trailers, without those that could be merged into the head', async () => {
    const body =
      '2\r\nok\r\n0\r\nX-Sum: abc\r\nHost: evil\r\nX-API-Key: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n';
    const { head, upstream } = await stage.begin(
      stage.head('POST', '/', ['Transfer-Encoding: chunked', 'Trailer: X-Sum']) + body,
    );
    expect(fieldsOfHead(head)).toContainEqual(['Trailer', 'X-Sum']);
    expect(await upstream.chunks()).toEqual({ body: 'ok', trailers: [['X-Sum', 'abc']] });
  });

  it('reaches the sandbox as it comes', async () => {
    const { client, upstream } = await stage.begin(stage.head('POST', '/', ['Transfer-Encoding: chunked']));
    for (const piece of ['one', 'two']) {
      client.send(`3\r\n${piece}\r\n`);
      expect(await upstream.until(`${piece}\r\n`)).toBe(`3\r\n${piece}\r\n`);
    }
  });

  it('waits for the sandbox to say 100 where the client waits', async () => {
    const { client, upstream, head } = await stage.begin(
      stage.head('PUT', '/', ['Content-Length: 5', 'Expect: 100-continue']),
    );
    expect(fieldsOfHead(head)).toContainEqual(['Expect', '100-continue']);
    await stage.roundTrip();
    expect(client.unread).toBe('');
    upstream.send('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.head()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    expect(await upstream.bytes(5)).toBe('hello');
    upstream.send(EMPTY_OK);
    expect((await wholeAnswer(client)).status).toBe(200);
  });

  it('is never invited to send its body where the proxy refuses it', async () => {
    const client = await stage.client();
    client.send(
      stage.bare('PUT', '/', [`Host: ${stage.host()}`, 'Content-Length: 5', 'Expect: 100-continue']),
    );
    expect(await client.head()).toContain('HTTP/1.1 401');
  });

  it('is read no faster than the sandbox takes it', async () => {
    const { client, upstream } = await stage.begin(stage.head('POST', '/', ['Content-Length: 400000000']));
    upstream.socket.pause();
    expect(await pour(client)).toBeLessThan(100_000_000);
  });

  it.each(['chunked, chunked', 'gzip, chunked', 'identity'])(
    'with Transfer-Encoding %s is refused',
    async (coding) => {
      const client = await stage.client();
      client.send(stage.head('POST', '/', [`Transfer-Encoding: ${coding}`]));
      expect(await client.head()).toContain('HTTP/1.1 400');
    },
  );
});

describe.each(DOORS)('a client that leaves (%s)', (door) => {
  it('before the head of the answer ends the upstream request', async () => {
    const { client, upstream } = await stage.begin(stage.knock(door));
    client.close();
    await upstream.rest();
    expect(upstream.isOver).toBe(true);
  });

  it('after it ends the upstream request', async () => {
    const { client, upstream } = await stage.begin(stage.knock(door));
    upstream.send(door === 'HTTP' ? `${CHUNKED}\r\n` : SWITCHING);
    await client.head();
    client.close();
    await upstream.rest();
    expect(upstream.isOver).toBe(true);
  });
});
