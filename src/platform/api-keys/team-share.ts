import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { LimitExceededError } from '../../sandbox-proxy/index.js';

/** Most requests of one team under way at the API at a time. All teams share the connections to the database. */
const MAX_UNDER_WAY = 64;

/** Counts the requests of each team that are under way at the API: until the response is over, or the client has left. */
@Injectable()
export class TeamShare {
  private readonly underWay = new Map<string, number>();
  /** What to call when a connection closes on which responses wait for earlier ones. */
  private readonly waiting = new WeakMap<Socket, Set<() => void>>();

  /** @throws LimitExceededError when the team has as many requests under way as it may */
  enter(teamId: string, { socket }: IncomingMessage, response: ServerResponse): void {
    // Its end has been told already.
    if (socket.destroyed) return;
    const underWay = this.underWay.get(teamId) ?? 0;
    if (underWay >= MAX_UNDER_WAY)
      throw new LimitExceededError(
        `a team may have ${MAX_UNDER_WAY} requests under way at a time; try again shortly`,
      );
    this.underWay.set(teamId, underWay + 1);
    // Node does not tell a response that waits for earlier ones on its connection when the client leaves.
    const waiting = response.socket === null ? this.waitingOn(socket) : null;
    let isOver = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      waiting?.delete(leave);
      this.leave(teamId);
    };
    waiting?.add(leave);
    response.once('close', leave);
  }

  private leave(teamId: string): void {
    const left = (this.underWay.get(teamId) ?? 0) - 1;
    if (left > 0) this.underWay.set(teamId, left);
    else this.underWay.delete(teamId);
  }

  private waitingOn(socket: Socket): Set<() => void> {
    let waiting = this.waiting.get(socket);
    if (waiting === undefined) {
      const all = new Set<() => void>();
      socket.once('close', () => {
        for (const leave of all) leave();
      });
      this.waiting.set(socket, all);
      waiting = all;
    }
    return waiting;
  }
}
