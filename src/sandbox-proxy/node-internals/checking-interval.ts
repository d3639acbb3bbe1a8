import type { Server } from 'node:http';

/**
 * Sets how often the server looks for heads and bodies that take too long, milliseconds. Node has this only as an option of
 * `createServer` (30 s by default), but reads it when the server begins to listen: to be called before that.
 */
export function setCheckingInterval(server: Server, ms: number): void {
  Object.assign(server, { connectionsCheckingInterval: ms });
}
