import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wholeAnswer } from './kit/answer.js';
import { asFiles, createAuthority, issue } from './kit/certificates.js';
import { ProxyStage } from './kit/proxy-stage.js';

const TOO_LARGE = 'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large';
const UPLOAD = Buffer.alloc(2_000_000, 'a');
const TIMES = 20;

const ca = await createAuthority('agents');
const secureContext = createSecureContext(await issue(ca, { ip: '127.0.0.1' }));
const { paths, remove } = asFiles({ ca: ca.cert });
afterAll(remove);

const stage = new ProxyStage({ env: { AGENT_CA_FILE: paths.ca } });

/** How an app lets go of a connection over which more of an upload is still coming. @param wire the connection itself */
const ENDINGS: readonly [name: string, end: (socket: Socket, wire: Socket) => void][] = [
  ['FIN', (socket) => socket.end(TOO_LARGE)],
  // What it has not read is answered by a reset.
  ['close', (socket, wire) => socket.write(TOO_LARGE, () => wire.destroy())],
  ['RST', (socket, wire) => socket.write(TOO_LARGE, () => wire.resetAndDestroy())],
];
const AGENTS = (['http', 'https'] as const).flatMap((scheme) =>
  ENDINGS.map(([name, end]) => [scheme, name, end] as const),
);

// An app that answers 413 and closes before it has read the whole upload: 1 of 10 of its answers arrived.
describe.each(AGENTS)(
  'an %s agent that answers before the upload is whole and closes by %s',
  (scheme, _, end) => {
    let agent: Server;
    let host: string;

    beforeAll(async () => {
      agent = createServer({ allowHalfOpen: true, noDelay: true }, (wire) => {
        const socket = scheme === 'http' ? wire : new TLSSocket(wire, { isServer: true, secureContext });
        wire.on('error', () => undefined);
        socket.on('error', () => undefined);
        // The head and the first bytes are read, and no more.
        socket.once('data', () => {
          socket.pause();
          end(socket, wire);
        });
      });
      await once(agent.listen(0, '127.0.0.1'), 'listening');
      host = await stage.hostOf(`${scheme}://127.0.0.1:${(agent.address() as AddressInfo).port}`);
    });
    afterAll(() => void agent.close());

    it.each(['Content-Length', 'chunks'])('is heard, every time (%s)', async (framing) => {
      const statuses: number[] = [];
      for (let index = 0; index < TIMES; index++) {
        const client = await stage.client();
        const isChunked = framing === 'chunks';
        client.send(
          stage.bare('POST', '/', [
            `Host: ${host}`,
            `X-API-Key: ${stage.team.key}`,
            isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${UPLOAD.length}`,
          ]),
        );
        client.send(isChunked ? `${UPLOAD.length.toString(16)}\r\n` : '');
        client.send(UPLOAD);
        const answer = await wholeAnswer(client, 'POST');
        statuses.push(answer.status);
        client.close();
      }
      expect(statuses).toEqual(Array.from({ length: TIMES }, () => 413));
    });
  },
);
