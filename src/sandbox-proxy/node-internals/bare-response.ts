import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A response on a connection that Node has taken off HTTP. */
export interface BareResponse {
  readonly response: ServerResponse;
  /** The connection is no longer the response's: for other use, and once the response has finished. */
  detach(): void;
}

/**
 * Answers an upgrade or CONNECT by the same code as any other request, as the last answer on its connection. Node sees
 * to it that the client's leaving closes the response; that the connection has drained it no longer says.
 *
 * @param onFinished called when the whole answer is with the socket, detached by then; then the response emits 'close'
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
