import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { noteBodyPieces } from './note-body-pieces.js';

const CHUNKED = ['Transfer-Encoding: chunked'];

/** A server that answers with the body, and what it notes of the connections that `isNoted` names. */
async function noting(isNoted: (index: number) => boolean = () => true) {
  const noted: [connection: number, bytes: number, count: number][] = [];
  let index = 0;
  const server = createServer(async (request, response) => response.end(await text(request)));
  server.on('connection', (socket) => {
    const connection = index++;
    if (isNoted(connection)) noteBodyPieces(socket, (bytes, count) => noted.push([connection, bytes, count]));
  });
  return { noted, ...(await serve(server)) };
}

describe('the pieces of bodies', () => {
  it('are told of one by one, counted anew for each request', async () => {
    const { noted, connect } = await noting();
    const client = await connect();
    client.send(`${requestHead('POST /', CHUNKED)}1\r\na\r\n2\r\nbc\r\n0\r\n\r\n`);
    client.send(`${requestHead('PUT /', ['Content-Length: 4'])}defg`);
    expect((await wholeAnswer(client)).body).toBe('abc');
    expect((await wholeAnswer(client)).body).toBe('defg');
    expect(noted).toEqual([
      [0, 1, 1],
      [0, 2, 2],
      [0, 4, 1],
    ]);
  });

  it('are told of once, and only of connections that were asked about, when Node uses a parser again', async () => {
    const { noted, connect } = await noting((index) => index % 2 === 0);
    for (let index = 0; index < 6; index++) {
      const client = await connect();
      client.send(`${requestHead('POST /', [...CHUNKED, 'Connection: close'])}1\r\na\r\n0\r\n\r\n`);
      await client.rest();
    }
    expect(noted).toEqual([
      [0, 1, 1],
      [2, 1, 1],
      [4, 1, 1],
    ]);
  });

  it('may be asked about when the head is in', async () => {
    const pieces: number[] = [];
    const server = createServer(async (request, response) => {
      noteBodyPieces(request.socket, (bytes) => pieces.push(bytes));
      response.end(await text(request));
    });
    const client = await (await serve(server)).connect();
    client.send(`${requestHead('POST /', CHUNKED)}1\r\na\r\n2\r\nbc\r\n0\r\n\r\n`);
    expect((await wholeAnswer(client)).body).toBe('abc');
    expect(pieces).toEqual([1, 2]);
  });
});
