import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { closeGently } from '../answers/proxy-answer.js';
import { bareResponse } from '../node-internals/bare-response.js';
import { reset } from '../relay/reset.js';
import { ShuttingDownError } from '../errors.js';
import { SandboxProxyService } from '../sandbox-proxy.service.js';
import { upgradeOfferOf } from './upgrade-offer.js';
import { whenFree } from './when-free.js';
import { UpgradeRequest } from '../relay/upgrade-request.js';

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

  /** Whether the request is served as the plain one that it also is; null where it is not for a sandbox. */
  declines(request: IncomingMessage): boolean | null {
    return this.proxy.claim(request) === null ? null : upgradeOfferOf(request) !== 'taken';
  }

  /**
   * @param head bytes that came with the handshake
   * @returns false where the request is not for a sandbox
   */
  use(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
    const claim = this.proxy.claim(request);
    if (claim === null) return false;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const upgrade = new UpgradeRequest(request.headers.upgrade ?? '', socket, head);
    whenFree(socket, () => {
      const outcome = this.isDraining ? new ShuttingDownError() : claim;
      // The connection ends with a refusal: what the client sent ahead of its upgrade is nobody's
      // (0ang3el/websocket-smuggle).
      const { response, detach } = bareResponse(request, socket, () => {
        upgrade.drop();
        closeGently(socket);
      });
      upgrade.onReleased = detach;
      this.proxy.serve(outcome, request, response, upgrade);
    });
    return true;
  }
}
