import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { destinationOf, LOGGER, largestWrite } from '../../program/logging/logger.js';
import type { ProxyErrorCode } from '../error-status.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import { writeLatin1 } from '../node-internals/latin1-write.js';

/** Lines are written when they make a write of the largest size, or after this long (ms), whichever comes first. */
const BATCH_MS = 200;

/** What a line tells of a request. */
export interface AccessLogEntry {
  readonly requestId: string;
  /** UUID; null until admitted. */
  readonly teamId: string | null;
  readonly address: SandboxAddress | null;
  readonly method: string;
  readonly isUpgrade: boolean;
  /** On the clock of `performance.now`, milliseconds. */
  readonly startedAtMs: number;
  /** From the start to the head of the agent's answer, milliseconds; -1 where none came. */
  readonly firstByteMs: number;
  /** 0 where nothing was answered. */
  readonly status: number;
  /** `revoked`: cut because what the request had been let in by was gone. */
  errorCode: ProxyErrorCode | 'client_closed' | 'upstream_truncated' | 'revoked' | null;
  /** The system's name of what failed below `errorCode`, e.g. `ECONNREFUSED`. */
  readonly failure: string | null;
  /** Of the body, or through the tunnel: from the client, and to it. */
  bytesIn: number;
  bytesOut: number;
}

/**
 * One line for each proxied request, when it ends, where pino's own lines go and in their format. No path, no
 * query, no header and no body ever gets in, so that nothing of a client's can forge a line: the texts are ids of
 * ours, codes, and the method, of which the parser knows only registered ones. The line is put together by hand,
 * and lines are written in batches: pino would take a third of a proxied request's time.
 */
@Injectable()
export class AccessLog implements OnApplicationShutdown {
  private readonly isEnabled: boolean;
  private readonly destination: ReturnType<typeof destinationOf>;
  private readonly batchBytes = largestWrite();
  private batch = Buffer.allocUnsafeSlow(this.batchBytes);
  private filledBytes = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(@Inject(LOGGER) logger: Logger) {
    this.isEnabled = logger.isLevelEnabled('info');
    this.destination = destinationOf(logger);
  }

  record(entry: AccessLogEntry): void {
    if (!this.isEnabled) return;
    const line = lineOf(entry);
    if (this.filledBytes + line.length > this.batchBytes) this.flush();
    this.filledBytes += writeLatin1(this.batch, line, this.filledBytes);
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Writes what waits. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.filledBytes === 0) return;
    const lines = this.batch.subarray(0, this.filledBytes);
    this.batch = Buffer.allocUnsafeSlow(this.batchBytes);
    this.filledBytes = 0;
    if (this.destination.writeBytes === undefined) this.destination.write(lines.toString('latin1'));
    else this.destination.writeBytes(lines);
  }

  onApplicationShutdown(): void {
    this.flush();
  }
}

function lineOf(entry: AccessLogEntry): string {
  const { firstByteMs, errorCode, failure } = entry;
  const failed =
    errorCode === null && failure === null
      ? NOT_FAILED
      : `,"error":${quoted(errorCode)},"failure":${quoted(failure)},"msg":"proxied"}\n`;
  return (
    `${lineStart()}${entry.requestId}${subjectOf(entry)}${entry.method}","upgrade":${entry.isUpgrade}` +
    `,"status":${entry.status},"bytesIn":${entry.bytesIn},"bytesOut":${entry.bytesOut}` +
    `,"totalMs":${rounded(performance.now() - entry.startedAtMs)}` +
    `,"firstByteMs":${firstByteMs < 0 ? 'null' : rounded(firstByteMs)}${failed}`
  );
}

const NOT_FAILED = ',"error":null,"failure":null,"msg":"proxied"}\n';

/** Whom a line is about: joined once, since a line is written out piece by piece and pieces are what it costs. */
function subjectOf({ teamId, address }: AccessLogEntry): string {
  const known = address?.logSubject ?? null;
  if (known !== null && known.teamId === teamId) return known.text;
  const text =
    `","teamId":${quoted(teamId)},"sandboxId":${quoted(address?.sandboxId)}` +
    `,"port":${address?.port ?? null},"method":"`;
  if (address !== null) address.logSubject = { teamId, text };
  return text;
}

/** Only for texts of our own making: ids, codes, names of system errors. */
function quoted(text: string | null | undefined): string {
  return text === null || text === undefined ? 'null' : `"${text}"`;
}

/** Hundredths of a millisecond are as much as the clock is worth here. */
function rounded(milliseconds: number): string {
  const hundredths = Math.round(milliseconds * 100);
  const fraction = hundredths % 100;
  return `${(hundredths - fraction) / 100}.${fraction < 10 ? '0' : ''}${fraction}`;
}

let stampedMs = 0;
let start = '';

/** Everything up to the request's id; the time is ISO 8601, put together at most once a millisecond. */
function lineStart(): string {
  const now = Date.now();
  if (now !== stampedMs) {
    stampedMs = now;
    start = `{"level":30,"time":"${new Date(now).toISOString()}","requestId":"`;
  }
  return start;
}
