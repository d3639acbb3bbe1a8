import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { hasOtherListener, listenFirst } from './listen-first.js';

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];
const BODY = ['Expect: 100-continue', 'Content-Length: 2'];

const REQUESTS = {
  request: requestHead('GET /path'),
  checkContinue: requestHead('POST /path', BODY),
  checkExpectation: requestHead('GET /path', ['Expect: the-unexpected']),
  upgrade: requestHead('GET /path', UPGRADE),
  connect: requestHead('CONNECT path'),
  clientError: 'malformed\r\n\r\n',
} as const;
type Event = keyof typeof REQUESTS;
const EVENTS = Object.keys(REQUESTS) as Event[];
const LISTENED = ['checkContinue', 'checkExpectation', 'upgrade', 'connect'] as const;

const ANSWER = 'HTTP/1.1 299 Mine\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

let server: Server;
/** Who heard of a request, in order. */
let heard: string[];
/** Whether the first listener takes what it is asked about. */
let takes: boolean;

beforeEach(() => {
  heard = [];
  takes = false;
  server = createServer((request, response) => {
    heard.push('listener of request');
    request.resume();
    response.writeHead(200, { Connection: 'close' }).end();
  });
  const byResponse = (event: Event) => (_request: IncomingMessage, response: ServerResponse) => {
    heard.push(`first of ${event}`);
    if (takes) response.writeHead(299, 'Mine', ['Connection', 'close', 'Content-Length', '0']).end();
    return takes;
  };
  const bySocket = (event: Event) => (_request: unknown, socket: Socket) => {
    heard.push(`first of ${event}`);
    if (takes) socket.end(ANSWER);
    return takes;
  };
  listenFirst(server, {
    request: byResponse('request'),
    checkContinue: byResponse('checkContinue'),
    checkExpectation: byResponse('checkExpectation'),
    upgrade: bySocket('upgrade'),
    connect: bySocket('connect'),
    clientError: (_error, socket) => bySocket('clientError')(undefined, socket),
  });
});

/** All bytes that come back for it until the connection ends. */
async function ask(event: Event): Promise<string> {
  const client = await (await serve(server)).connect();
  client.send(REQUESTS[event]);
  if (event === 'checkContinue') client.send('ok');
  return (await client.rest()).bytes;
}

describe('the first listener', () => {
  it.each(EVENTS)('takes a request, and no other hears of it: %s', async (event) => {
    takes = true;
    server.on(event, () => heard.push(`listener of ${event}`));
    expect(await ask(event)).toContain('299 Mine');
    expect(heard).toEqual([`first of ${event}`]);
  });

  it.each(LISTENED)(
    'leaves a request to the listeners of the server, also to later ones: %s',
    async (event) => {
      server.on(event, (_request: IncomingMessage, answer: ServerResponse | Socket) => {
        heard.push(`listener of ${event}`);
        if ('writeHead' in answer) answer.writeHead(299, 'Theirs', { Connection: 'close' }).end();
        else answer.end('HTTP/1.1 299 Theirs\r\n\r\n');
      });
      expect(hasOtherListener(server, event)).toBe(true);
      expect(await ask(event)).toContain('299 Theirs');
      expect(heard).toEqual([`first of ${event}`, `listener of ${event}`]);
    },
  );

  it('leaves a client error to the listeners of the server', async () => {
    server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 299 Theirs\r\n\r\n'));
    expect(await ask('clientError')).toContain('299 Theirs');
    expect(heard).toEqual(['first of clientError']);
  });

  it('leaves a plain request to the listener of the server', async () => {
    expect(await ask('request')).toContain('200 OK');
    expect(heard).toEqual(['first of request', 'listener of request']);
  });
});

describe('where the server has no listener of its own', () => {
  it('a client that waits for a 100 gets it, and its request is a plain one', async () => {
    expect(hasOtherListener(server, 'checkContinue')).toBe(false);
    expect(await ask('checkContinue')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(heard).toEqual(['first of checkContinue', 'listener of request']);
  });

  it('any other expectation is not met', async () => {
    const client = await (await serve(server)).connect();
    client.send(REQUESTS.checkExpectation);
    expect((await wholeAnswer(client)).status).toBe(417);
  });

  it('a client error is answered', async () => {
    expect(await ask('clientError')).toContain('400 Bad Request');
    expect(heard).toEqual(['first of clientError']);
  });

  it.each(['upgrade', 'connect'] as const)('the connection is closed: %s', async (event) => {
    expect(await ask(event)).toBe('');
    expect(heard).toEqual([`first of ${event}`]);
  });
});
