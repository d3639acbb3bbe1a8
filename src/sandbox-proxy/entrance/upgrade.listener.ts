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

/** Takes the upgrades whose Host header names a sandbox: WebSockets and others. */
@Injectable()
export class SandboxUpgradeListener {
  /** Sockets that have been taken off HTTP: waiting for the agent's answer, or spliced. The server knows them no more. */
  private readonly sockets = new Set<Socket>();
  private isDraining = false;

  constructor(private readonly proxy: SandboxProxyMiddleware) {}

  /** From now on no upgrade is taken to a sandbox. */
  drain(): void {
    this.isDraining = true;
  }

  /** Cuts whatever is still open. */
  closeAll(): void {
    for (const socket of this.sockets) reset(socket);
  }

  /** Whether the request is served as the plain one that it also is; null where it is not for a sandbox. */
  declines(request: IncomingMessage): boolean | null {
    return this.proxy.placeOf(request) === null ? null : upgradeOfferOf(request) !== 'taken';
  }

  /**
   * @param head bytes that came with the handshake
   * @returns false where the request is not for a sandbox
   */
  use(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    const place = this.proxy.placeOf(request);
    if (place === null) return false;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const upgrade = new UpgradeRequest(request.headers.upgrade ?? '', socket, head);
    whenFree(socket, () => {
      // The connection ends with a refusal: what the client sent ahead of its upgrade is nobody's
      // (0ang3el/websocket-smuggle).
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
