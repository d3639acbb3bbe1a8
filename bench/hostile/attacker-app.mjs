import { createServer } from 'node:net';
import { once } from 'node:events';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const TINY = Buffer.from('1\r\na\r\n'.repeat(20_000));
const EXTENSIONS = Buffer.from(`1;${'x'.repeat(900)}\r\na\r\n`.repeat(140));

/** What the app in the attacker's sandbox does, by path. */
const BEHAVIOUR = {
  hang() {},
  tiny: (socket) => flow(socket, TINY),
  extensions: (socket) => flow(socket, EXTENSIONS),
  endless: (socket) =>
    flow(socket, Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')])),
};

/** An agent that does what the attacker wants; answers `ok` where nothing else is asked for. */
export async function startAttackerApp() {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const [, path] of chunk.toString('latin1').matchAll(/^[A-Z]+ \/proxy\/[^/]+\/\d+\/(\w*)/gm)) {
        const behave = BEHAVIOUR[path];
        if (behave === undefined) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else behave(socket);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: server.address().port };
}

function flow(socket, piece) {
  socket.write(CHUNKED);
  const more = () => {
    while (socket.writable && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}
