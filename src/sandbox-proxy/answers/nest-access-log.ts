import { Injectable, Logger } from '@nestjs/common';
import { AccessLog, type AccessRecord } from '../contracts/access-log.js';

/** The default: a line of Nest's logger for each request. */
@Injectable()
export class NestAccessLog extends AccessLog {
  private readonly logger = new Logger('SandboxProxy');

  record({ requestId, method, sandboxId, port, teamId, status, errorCode, ...rest }: AccessRecord): void {
    const { startedAtMs, bytesIn, bytesOut } = rest;
    const totalMs = Math.round(performance.now() - startedAtMs);
    const failed = errorCode === null ? '' : ` ${errorCode}`;
    this.logger.log(
      `${requestId} ${method} ${sandboxId}:${port} ${teamId} ${status}${failed} ${bytesIn}/${bytesOut} bytes ${totalMs} ms`,
    );
  }
}
