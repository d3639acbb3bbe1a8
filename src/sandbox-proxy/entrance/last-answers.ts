import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { makeLast } from '../answers/answer.js';
import { acceptEvent } from '../node-internals/accept-event.js';
import { responseOn } from '../node-internals/response-on-socket.js';
import { lastOn } from './pipeline.js';

/**
 * Sends clients elsewhere while the application drains. From `begin` on, the answer to the request that came last on a
 * connection says `Connection: close`, and the connection ends with it. Of pipelined requests, those before it are answered
 * as usual: a client reads no further than an answer that says so.
 */
@Injectable()
export class LastAnswers {
  private readonly connections = new Set<Socket>();
  /** Once it has begun: the response to the request that came last. */
  private readonly newest = new WeakMap<Socket, ServerResponse>();
  hasBegun = false;

  watch(server: Server): void {
    const { connections } = this;
    /** One function for all connections, of which there are thousands. */
    function forget(this: Socket): void {
      connections.delete(this);
    }
    server.on(acceptEvent(server), (socket: Socket) => {
      connections.add(socket);
      socket.once('close', forget);
    });
  }

  begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    for (const socket of this.connections) {
      const response = lastOn(socket) ?? responseOn(socket);
      if (response !== null) this.note(response);
    }
  }

  /** To be called with the response to each request once it has begun, before anything of it is sent. */
  note(response: ServerResponse): void {
    if (response.headersSent) return;
    const { req: request } = response;
    this.newest.set(request.socket, response);
    // Only when the head is written is it known whether another request has come in the meantime.
    const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
    response.writeHead = (...head: unknown[]) => {
      if (this.newest.get(request.socket) === response) makeLast(request, response);
      return writeHead(...head);
    };
  }
}
