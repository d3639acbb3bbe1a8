import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A response on a connection that Node has taken off HTTP. */
export interface BareResponse {
  readonly response: ServerResponse;
  /** Takes the connection away from the response, for another use. Done by itself once the response has finished. */
  detach(): void;
}

/**
 * A response for an upgrade or CONNECT, so that it can be answered by the same code as any other request. It is the last
 * answer on its connection. Node still closes the response when the client leaves, but no longer tells it of 'drain'.
 *
 * @param onFinished called when the whole answer has been given to the socket, which is detached by then; after it the
 *   response emits 'close'
 */
export function bareResponse(request: IncomingMessage, socket: Socket, onFinished: () => void): BareResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  const onDrain = () => response.emit('drain');
  socket.on('drain', onDrain);
  const detach = () => {
    socket.off('drain', onDrain);
    if (response.socket !== null) response.detachSocket(socket);
  };
  response.once('finish', () => {
    detach();
    onFinished();
    response.emit('close');
  });
  return { response, detach };
}
