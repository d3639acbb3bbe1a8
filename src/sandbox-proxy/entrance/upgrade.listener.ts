import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { closeGently } from '../answers/proxy-answer.js';
import { reset } from '../relay/reset.js';
import { ShuttingDownError } from '../errors.js';
import { replayWithoutUpgrade } from './replay-without-upgrade.js';
import { SandboxProxyService } from '../sandbox-proxy.service.js';
import { whenFree } from './when-free.js';
import { UpgradeRequest } from '../relay/upgrade-request.js';

/**
 * Protocols in which a client would talk to the agent itself, past every rule of ours (and to any sandbox on that
 * host). Such an offer is ignored, as RFC 9110 7.8 allows, and the request served as a plain one.
 */
const NEVER_UPGRADED = /(^|[\s,])(h2c?|https?|tls)([\s,/]|$)/i;

/** Door 2: WebSocket and other upgrades whose Host header names a sandbox. */
@Injectable()
export class SandboxUpgradeListener {
  /** Sockets that have been taken off HTTP: waiting for the agent's answer, or spliced. The server knows them no more. */
  private readonly sockets = new Set<Socket>();
  private isDraining = false;

  constructor(private readonly proxy: SandboxProxyService) {}

  /** From now on no upgrade is taken to a sandbox. */
  drain(): void {
    this.isDraining = true;
  }

  /** Cuts whatever is still open. */
  closeAll(): void {
    for (const socket of this.sockets) reset(socket);
  }

  /**
   * @param head bytes that came with the handshake
   * @param accept takes the socket as a new connection of the server
   * @param next called for requests that are not ours
   */
  use(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    accept: (socket: Socket) => void,
    next: () => void,
  ): void {
    const claim = this.proxy.claim(request);
    if (claim === null) {
      next();
      return;
    }
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const protocols = request.headers.upgrade ?? '';
    // An HTTP/1.0 client cannot upgrade (RFC 9110 7.8).
    if (request.httpVersionMinor === 0 || NEVER_UPGRADED.test(protocols)) {
      replayWithoutUpgrade(request, socket, head, accept);
      return;
    }
    const upgrade = new UpgradeRequest(protocols, socket, head);
    whenFree(socket, () => {
      const outcome = this.isDraining ? new ShuttingDownError() : claim;
      this.proxy.serve(outcome, request, refusalOn(socket, request, upgrade), upgrade);
    });
  }
}

/**
 * A response on a bare socket, so that a refused upgrade is answered by the same code as any other request. The
 * connection ends with it: what the client sent ahead of its upgrade is nobody's (0ang3el/websocket-smuggle).
 */
function refusalOn(socket: Socket, request: IncomingMessage, upgrade: UpgradeRequest): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  const onDrain = () => response.emit('drain');
  socket.on('drain', onDrain);
  upgrade.onReleased = () => {
    socket.off('drain', onDrain);
    response.detachSocket(socket);
  };
  response.once('finish', () => {
    upgrade.drop();
    response.emit('close');
    closeGently(socket);
  });
  return response;
}
