/** The part of a Fastify instance that is used here. */
interface FastifyInstance {
  addHook(name: 'onListen', hook: (this: object, done: () => void) => void): void;
}

/**
 * If a Fastify application listens on `localhost`, Fastify opens a second http.Server for the other address of that
 * name. It has Fastify's own handler, but none of the listeners of the first (Fastify 5.12, lib/server.js). Fastify
 * keeps such servers in a list under a symbol; without that list there is no second server.
 *
 * @param onServer called with each of them, when the application has begun to listen
 */
export function secondServersOf(instance: FastifyInstance, onServer: (server: unknown) => void): void {
  instance.addHook('onListen', function found(done) {
    const list = Object.getOwnPropertySymbols(this).find(
      ({ description }) => description === 'fastify.serverBindings',
    );
    const servers: unknown = list === undefined ? [] : (this as Record<symbol, unknown>)[list];
    if (Array.isArray(servers)) for (const server of servers) onServer(server);
    done();
  });
}
