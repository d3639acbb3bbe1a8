// undici's dispatch on bare node:http: raw header arrays in and out, nothing else. A reference for the engine, not a proxy.
import { createServer } from 'node:http';
import { Pool } from 'undici';
import { agentPath, PORT, UPSTREAM } from './agent-path.mjs';

const pool = new Pool(UPSTREAM, { pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer']);

function endToEnd(rawHeaders) {
  const kept = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toString('latin1');
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && lower !== 'host') kept.push(name, rawHeaders[i + 1].toString('latin1'));
  }
  return kept;
}

class Forwarding {
  #response;

  constructor(response) {
    this.#response = response;
  }

  onConnect(abort) {
    this.#response.on('close', () => {
      if (!this.#response.writableFinished) abort();
    });
  }

  onHeaders(statusCode, rawHeaders, resume) {
    this.#response.on('drain', resume);
    this.#response.writeHead(statusCode, endToEnd(rawHeaders));
    return true;
  }

  onData(chunk) {
    return this.#response.write(chunk);
  }

  onComplete() {
    this.#response.end();
  }

  onError() {
    this.#response.destroy();
  }
}

createServer((request, response) => {
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  pool.dispatch(
    {
      path: agentPath(request),
      method: request.method,
      headers: endToEnd(request.rawHeaders),
      body: hasBody ? request : null,
    },
    new Forwarding(response),
  );
}).listen(PORT, '127.0.0.1', 4096);
