import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { holdWithHead } from './hold-with-head.js';

/** What the server gives to the socket on the way of an answer, one entry for each write. */
function writesOf(socket: Socket): string[] {
  const writes: string[] = [];
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  Object.assign(socket, {
    write: (data: string | Buffer, ...rest: unknown[]) => {
      writes.push(data.toString());
      return write(data, ...rest);
    },
  });
  return writes;
}

async function asked(answer: (response: ServerResponse) => void) {
  let writes: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/next') return void response.end('next');
    writes = writesOf(request.socket);
    answer(response);
  });
  const client = await (await serve(server)).connect();
  client.send(requestHead('GET /'));
  const first = await wholeAnswer(client);
  const firstWrites = [...writes];
  client.send(requestHead('GET /next'));
  return { first, firstWrites, next: await wholeAnswer(client) };
}

describe('a body that is held with its head', () => {
  it('leaves with it in one write, a character a byte, and the connection goes on', async () => {
    const { first, firstWrites, next } = await asked((response) => {
      response.writeHead(200, 'OK', ['Content-Length', '4']);
      expect(holdWithHead(response, 'caf\xe9')).toBe(true);
      response.end();
    });
    expect(first.body).toBe('caf\xe9');
    expect(firstWrites).toHaveLength(1);
    expect(firstWrites[0]).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 4\r\n[^]*\r\n\r\ncaf\xe9$/);
    expect(next.body).toBe('next');
  });

  it('is not taken before there is a head, nor once that has been sent', async () => {
    const { first } = await asked((response) => {
      expect(holdWithHead(response, 'body')).toBe(false);
      response.writeHead(200, { 'Content-Length': '4' });
      response.write('bo');
      expect(holdWithHead(response, 'dy')).toBe(false);
      response.end('dy');
    });
    expect(first.body).toBe('body');
  });
});
