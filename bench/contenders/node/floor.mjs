// The floor: a bare node:http server that answers by itself and has no upstream side.
import { createServer } from 'node:http';
import { PORT } from './agent-path.mjs';

const BODY = Buffer.from(`${'sandbox '.repeat(12)}end\n`);

createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
  response.end(BODY);
}).listen(PORT, '127.0.0.1', 4096);
