import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../../logging/logger.js';
import type { ProxyExchange } from '../forwarding/proxy-exchange.js';

/**
 * One line for each proxied request, when it ends. No path, no query, no header and no body ever gets in; the
 * method is the only text of the client's, and the parser knows only registered ones.
 */
@Injectable()
export class AccessLog {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  record(exchange: ProxyExchange): void {
    if (!this.logger.isLevelEnabled('info')) return;
    const { address, errorCode } = exchange;
    this.logger.info(
      {
        requestId: exchange.requestId,
        teamId: exchange.teamId,
        sandboxId: address?.sandboxId ?? null,
        port: address?.port ?? null,
        method: exchange.request.method,
        upgrade: exchange.upgrade !== null,
        status: exchange.status,
        bytesIn: exchange.bytesIn,
        bytesOut: exchange.bytesOut,
        totalMs: round(performance.now() - exchange.startedAtMs),
        firstByteMs: exchange.firstByteMs < 0 ? null : round(exchange.firstByteMs),
        error: errorCode,
        failure: exchange.failure,
      },
      'proxied',
    );
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
