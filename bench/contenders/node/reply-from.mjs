// @fastify/reply-from in a fastify server without a log, undici underneath, bodies passed on as streams.
import replyFrom from '@fastify/reply-from';
import fastify from 'fastify';
import { agentPath, PORT, UPSTREAM } from './agent-path.mjs';

const app = fastify({ logger: false, bodyLimit: Number.MAX_SAFE_INTEGER });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
await app.register(replyFrom, {
  base: UPSTREAM,
  undici: { connections: 4096, pipelining: 1, bodyTimeout: 0, headersTimeout: 0 },
});
app.all('/*', (request, reply) => {
  reply.from(agentPath(request.raw));
});
await app.listen({ port: PORT, host: '127.0.0.1', backlog: 4096 });
