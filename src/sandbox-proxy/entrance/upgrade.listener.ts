import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { closeGently } from '../answers/answer.js';
import { ShuttingDownError } from '../errors.js';
import { UpgradeRequest } from '../exchange/upgrade-request.js';
import { bareResponse } from '../node-internals/bare-response.js';
import { reset } from '../relay/reset.js';
import { SandboxProxyMiddleware } from './sandbox-proxy.middleware.js';
import { upgradeOfferOf } from '../headers/upgrade-offer.js';
import { whenFree } from './when-free.js';

/** Takes the upgrades (WebSockets and others) whose Host header names a sandbox. */
@Injectable()
export class SandboxUpgradeListener {
  /** Sockets that Node has taken off HTTP, and so no longer knows: those that wait for the agent's answer, and tunnels. */
  private readonly sockets = new Set<Socket>();
  private isDraining = false;

  constructor(private readonly proxy: SandboxProxyMiddleware) {}

  /** From now on upgrades are refused. */
  drain(): void {
    this.isDraining = true;
  }

  /** Cuts whatever is still open and has not been ended: a reset could overtake a refusal that has just been sent. */
  closeAll(): void {
    for (const socket of this.sockets) if (!socket.writableEnded) reset(socket);
  }

  /** Whether the offer is declined and the request served as the plain one that it also is; null if not for a sandbox. */
  declines(request: IncomingMessage): boolean | null {
    return this.proxy.placeOf(request) === null ? null : upgradeOfferOf(request) !== 'taken';
  }

  /**
   * @param head bytes that came with the handshake
   * @returns false if the request is not for a sandbox
   */
  use(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    const place = this.proxy.placeOf(request);
    if (place === null) return false;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const upgrade = new UpgradeRequest(request.headers.upgrade ?? '', socket, head);
    whenFree(socket, () => {
      // After a refusal the connection is closed. What the client has sent before the agent agreed is discarded, and never
      // taken for a request (0ang3el/websocket-smuggle).
      const { response, detach } = bareResponse(request, socket, () => {
        upgrade.drop();
        closeGently(socket);
      });
      upgrade.onReleased = detach;
      this.proxy.take(request, response, this.isDraining ? new ShuttingDownError() : place, upgrade);
    });
    return true;
  }
}
