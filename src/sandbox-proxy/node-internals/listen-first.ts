import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Each method returns true if it has taken the event; otherwise the server goes on as if nobody had asked. */
export interface FirstListener {
  request(request: IncomingMessage, response: ServerResponse): boolean;
  /** `Expect: 100-continue`: no 100 has been sent. */
  checkContinue(request: IncomingMessage, response: ServerResponse): boolean;
  /** Any other `Expect`. */
  checkExpectation(request: IncomingMessage, response: ServerResponse): boolean;
  /** @param head bytes that came after the request's head */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): boolean;
  connect(request: IncomingMessage, socket: Socket, head: Buffer): boolean;
  /**
   * The bytes of a client are malformed, or come too slowly. By itself the server answers that and closes the
   * connection.
   */
  clientError(error: Error, socket: Socket): boolean;
}

/** Node emits these only while somebody listens for them, and otherwise acts by itself. */
const LISTENED_EVENTS = ['checkContinue', 'checkExpectation', 'upgrade', 'connect'] as const;

/** A listener that does nothing: it only has to be there. */
function listening(): void {}

/** Whether anybody besides `listenFirst` listens for the event. */
export function hasOtherListener(server: Server, event: (typeof LISTENED_EVENTS)[number]): boolean {
  return server.listeners(event).some((listener) => listener !== listening);
}

/**
 * Asks `first` about each request before any listener of the server hears of it, even listeners that are added later. This
 * works because Node tells them all by the server's `emit`.
 */
export function listenFirst(server: Server, first: FirstListener): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  for (const event of LISTENED_EVENTS) server.on(event, listening);
  server.emit = (event: string, ...args: unknown[]) => {
    switch (event) {
      case 'request': {
        const [request, response] = args as [IncomingMessage, ServerResponse];
        return first.request(request, response) || emit('request', request, response);
      }
      case 'checkContinue': {
        const [request, response] = args as [IncomingMessage, ServerResponse];
        if (first.checkContinue(request, response)) return true;
        if (hasOtherListener(server, event)) return emit(event, request, response);
        response.writeContinue();
        return emit('request', request, response);
      }
      case 'checkExpectation': {
        const [request, response] = args as [IncomingMessage, ServerResponse];
        if (first.checkExpectation(request, response)) return true;
        if (hasOtherListener(server, event)) return emit(event, request, response);
        response.writeHead(417).end();
        return true;
      }
      case 'upgrade':
      case 'connect': {
        const [request, socket, head] = args as [IncomingMessage, Socket, Buffer];
        if (first[event](request, socket, head)) return true;
        if (hasOtherListener(server, event)) return emit(event, request, socket, head);
        socket.destroy();
        return true;
      }
      case 'clientError': {
        const [error, socket] = args as [Error, Socket];
        return first.clientError(error, socket) || emit(event, error, socket);
      }
      default:
        return emit(event, ...args);
    }
  };
}
