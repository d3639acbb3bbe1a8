import { Server } from 'node:net';

/** A turn of the event loop that takes longer was not idle: somebody may have connected since it looked at the sockets, ms. */
const IDLE_TURN_MS = 0.1;
/** How long to wait for a turn in which nobody connects, milliseconds. */
const PATIENCE_MS = 1_000;

/** A handle of Node that listens. */
interface Listening {
  onconnection: (...accepted: unknown[]) => void;
  close(): void;
}

type ListeningServer = Server & { readonly _handle: Listening | null };

/**
 * Closes the listener in a turn of the event loop that has just found nobody waiting to be accepted: the kernel resets
 * connections that wait at that moment, and a load balancer that has sent a POST on one does not send it again. Connections
 * that have been accepted go on; `server.close()` is still to be called, and waits for them.
 */
export async function stopListening(server: Server): Promise<void> {
  const { _handle: handle } = server as ListeningServer;
  if (handle !== null) await closeWhenIdle(handle);
}

/**
 * The same for a listener of node:cluster, whose handle nobody can ask for. To be called in the primary before the first
 * worker listens.
 *
 * @returns a function that closes the listener
 */
export function watchClusterListener(): () => Promise<void> {
  const { listen } = Server.prototype;
  const handles: Listening[] = [];
  Server.prototype.listen = function watched(this: ListeningServer, ...how: unknown[]) {
    // before node:cluster takes the handle from the server (Node 20.20 to 26.10, lib/internal/cluster/round_robin_handle.js)
    this.once('listening', () => {
      const { _handle: handle } = this;
      if (handle !== null) handles.push(handle);
    });
    return Reflect.apply(listen, this, how) as ListeningServer;
  } as typeof listen;
  return async () => {
    await Promise.all(handles.map(closeWhenIdle));
  };
}

function closeWhenIdle(handle: Listening): Promise<void> {
  const { onconnection } = handle;
  let hasAccepted = false;
  handle.onconnection = (...accepted) => {
    hasAccepted = true;
    Reflect.apply(onconnection, handle, accepted);
  };
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  return new Promise((resolve) => {
    let beganAtMs = -Infinity;
    const look = () => {
      const nowMs = performance.now();
      const isIdle = !hasAccepted && nowMs - beganAtMs < IDLE_TURN_MS;
      if (isIdle || nowMs > giveUpAtMs) {
        handle.close();
        resolve();
        return;
      }
      hasAccepted = false;
      beganAtMs = nowMs;
      setImmediate(look);
    };
    look();
  });
}
