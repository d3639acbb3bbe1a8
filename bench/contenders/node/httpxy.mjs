// httpxy in the same wiring as http-proxy.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'httpxy';
import { agentPath, PORT, UPSTREAM } from './agent-path.mjs';

const proxy = createProxyServer({
  target: UPSTREAM,
  agent: new Agent({ keepAlive: true, maxSockets: Infinity }),
  changeOrigin: true,
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => void response?.destroy());

const server = createServer((request, response) => {
  request.url = agentPath(request);
  proxy.web(request, response).catch(() => response.destroy());
});
server.on('upgrade', (request, socket, head) => {
  request.url = agentPath(request);
  proxy.ws(request, socket, undefined, head).catch(() => socket.destroy());
});
server.listen(PORT, '127.0.0.1', 4096);
