import type { Server } from 'node:http';

/**
 * How often the server looks for heads and bodies that take too long, milliseconds. Node takes it as an option of
 * `createServer` alone (30 s by default) and reads it when the server begins to listen: to be called before that.
 */
export function setCheckingInterval(server: Server, ms: number): void {
  Object.assign(server, { connectionsCheckingInterval: ms });
}
