// One client sends `Upgrade: h2c` over and over on one connection. As long as such a request was given back to the
// server as a new connection, each left listeners behind, and closing cost their square: 60,000 blocked for 74 s.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { generate } from 'selfsigned';
import { beforeEach, describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { RawConnection } from '../../../test/kit/raw-connection.js';
import { listenersOf, requestHead, serve } from '../../../test/kit/serve.js';
import { declineUpgrades } from './decline-upgrades.js';

const LARGE_BYTES = 4_194_304;
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';

const offer = (protocol: string, line = 'GET /', fields: readonly string[] = []) =>
  requestHead(line, ['Connection: Upgrade', `Upgrade: ${protocol}`, ...fields]);

/** Answers what is plain with its path and body, and echoes what is upgraded. */
function prepare(server: Server): Server {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/large') return void response.end('x'.repeat(LARGE_BYTES));
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(`${request.url} ${body}`));
  });
  server.on('upgrade', switchProtocol).on('connect', switchProtocol);
  declineUpgrades(server, ({ headers, method }) => {
    expect(method).not.toBe('CONNECT');
    return headers.upgrade === 'h2c';
  });
  return server;
}

function switchProtocol(_request: IncomingMessage, socket: Socket, head: Buffer): void {
  socket.write(SWITCHING + head.toString());
}

let server: Server;
beforeEach(() => void (server = prepare(createServer())));

async function bodiesOf(client: RawConnection, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) bodies.push((await wholeAnswer(client)).body);
  return bodies;
}

describe('requests after a declined offer', () => {
  it('are served in turn with those of other connections', async () => {
    const served: (string | undefined)[] = [];
    const noting = createServer((request, response) => {
      served.push(request.url);
      response.end('ok');
    });
    declineUpgrades(noting, () => true);
    const { connect } = await serve(noting);
    const [one, other] = [await connect(), await connect()];
    one.send(offer('h2c', 'GET /one').repeat(400));
    other.send(offer('h2c', 'GET /other').repeat(400));
    await Promise.all([bodiesOf(one, 400), bodiesOf(other, 400)]);
    const turns = served.filter((url, index) => url !== served[index - 1]).length;
    expect(turns).toBeGreaterThan(20);
    expect(served).toHaveLength(800);
  });

  // 64 KB hold some 400 of them: 32 connections kept everybody waiting for 0.4 s a turn
  it('are not looked at once the connection is over', async () => {
    let served = 0;
    const answering = createServer((_request, response) => {
      served += 1;
      response.end('ok');
    });
    declineUpgrades(
      answering,
      () => true,
      () => served >= 3,
    );
    const client = await (await serve(answering)).connect();
    client.send(offer('h2c').repeat(400));
    await bodiesOf(client, 3);
    expect(served).toBe(3);
  });
});

describe('an offer of an upgrade that is declined', () => {
  const bytes = `${offer('h2c', 'POST /1', ['Content-Length: 5'])}hello${requestHead('GET /2')}`;
  const endOf = (text: string) => bytes.indexOf(text) + text.length;

  it.each([
    ['in one read', []],
    ['with the rest of its head in another', [endOf('HTTP/1.1')]],
    ['with the rest of its body in another', [endOf('he')]],
    ['with all that follows it in another', [endOf('hello')]],
    ['with a part of the next one behind it', [endOf('helloGET')]],
  ])('is served as the plain request it also is, %s', async (_name, cuts: number[]) => {
    const { accepted, connect } = await serve(server);
    const client = await connect();
    let sent = 0;
    for (const cut of [...cuts, bytes.length]) {
      client.send(bytes.slice(sent, cut));
      sent = cut;
      await expect.poll(() => accepted[0]?.bytesRead).toBe(sent);
    }
    expect(await bodiesOf(client, 2)).toEqual(['/1 hello', '/2 ']);
  });

  it('hides none of the requests around it', async () => {
    const client = await (await serve(server)).connect();
    const paths = Array.from({ length: 300 }, (_, i) => `/${i}`);
    const heads = paths.map((path, i) =>
      i % 3 === 0 ? requestHead(`GET ${path}`) : offer('h2c', `GET ${path}`),
    );
    client.send(heads.join(''));
    expect(await bodiesOf(client, 300)).toEqual(paths.map((path) => `${path} `));
  });

  it('hides no request of a client that takes its answers late', async () => {
    const { accepted, connect } = await serve(server);
    const client = await connect();
    client.socket.pause();
    const ahead = requestHead('GET /large') + requestHead('GET /large');
    client.send(ahead + offer('h2c', 'GET /offer') + requestHead('GET /behind'));
    await expect.poll(() => accepted[0]?.isPaused()).toBe(true);
    client.socket.resume();
    const lengths = (await bodiesOf(client, 2)).map(({ length }) => length);
    expect(lengths).toEqual([LARGE_BYTES, LARGE_BYTES]);
    expect(await bodiesOf(client, 2)).toEqual(['/offer ', '/behind ']);
  });

  it.each([
    ['in the same read', 'malformed'],
    ['later in its head', 'GET / HTTP/1.1\r\nmal formed'],
  ])('makes nothing malformed behind it any better: %s', async (_name, head) => {
    const client = await (await serve(server)).connect();
    client.send(`${offer('h2c')}${head}\r\n\r\n`);
    expect((await client.rest()).bytes).toContain('400 Bad Request');
  });

  it('makes nothing malformed behind it any better: in another read', async () => {
    const client = await (await serve(server)).connect();
    client.send(offer('h2c'));
    await wholeAnswer(client);
    client.send('malformed\r\n\r\n');
    expect((await client.rest()).bytes).toContain('400 Bad Request');
  });

  it('leaves nothing on its connection, however often', async () => {
    const { accepted, connect } = await serve(server);
    const client = await connect();
    const aHundred = async () => {
      client.send(offer('h2c').repeat(100));
      await bodiesOf(client, 100);
    };
    await aHundred();
    const [socket] = accepted as [Socket];
    await expect.poll(() => listenersOf(socket)).toBeLessThan(20);
    const before = listenersOf(socket);
    for (let i = 0; i < 10; i++) await aHundred();
    await expect.poll(() => listenersOf(socket)).toBe(before);
  });

  it('is one over TLS as well', async () => {
    const names = [{ name: 'commonName', value: 'localhost' }];
    const { cert, private: key } = await generate(names, { algorithm: 'sha256' });
    const { port } = await serve(prepare(createTlsServer({ cert, key })));
    const socket = connectTls({ host: '127.0.0.1', port, ca: cert, servername: 'localhost' });
    await once(socket, 'secureConnect');
    const client = new RawConnection(socket);
    client.send(offer('h2c', 'GET /1') + offer('h2c', 'GET /2'));
    expect(await bodiesOf(client, 2)).toEqual(['/1 ', '/2 ']);
    client.close();
  });
});

describe('an offer of an upgrade that is not declined', () => {
  it('is taken off HTTP with what follows it', async () => {
    const client = await (await serve(server)).connect();
    client.send(`${offer('websocket')}early`);
    expect(await client.until(`${SWITCHING}early`)).toContain('101 Switching');
  });

  it('is so behind one that is declined, too', async () => {
    const client = await (await serve(server)).connect();
    client.send(`${offer('h2c')}${offer('websocket')}early`);
    expect(await client.until(`${SWITCHING}early`)).toContain('101 Switching');
  });
});

it('CONNECT offers nothing that could be declined', async () => {
  const client = await (await serve(server)).connect();
  client.send(requestHead('CONNECT localhost:80', ['Connection: Upgrade', 'Upgrade: h2c']));
  expect(await client.until(SWITCHING)).toBe(SWITCHING);
});
