import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import { LOGGER, largestWrite } from '../../logging/logger.js';
import type { ErrorCode } from '../../errors/error-status.js';
import type { SandboxAddress } from '../doors/sandbox-address.js';

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
  readonly errorCode: ErrorCode | 'client_closed' | 'upstream_truncated' | null;
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
  private readonly destination: DestinationStream;
  private readonly batchCharacters = largestWrite();
  private batch = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(@Inject(LOGGER) logger: Logger) {
    this.isEnabled = logger.isLevelEnabled('info');
    this.destination = (logger as Logger & Record<symbol, DestinationStream>)[
      pino.symbols.streamSym
    ] as DestinationStream;
  }

  record(entry: AccessLogEntry): void {
    if (!this.isEnabled) return;
    const line = lineOf(entry);
    if (this.batch.length + line.length > this.batchCharacters) this.flush();
    this.batch += line;
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Writes what waits. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { batch } = this;
    this.batch = '';
    if (batch !== '') this.destination.write(batch);
  }

  onApplicationShutdown(): void {
    this.flush();
  }
}

function lineOf(entry: AccessLogEntry): string {
  const { address, firstByteMs } = entry;
  return (
    `{"level":30,"time":"${timestamp()}","requestId":"${entry.requestId}","teamId":${quoted(entry.teamId)}` +
    `,"sandboxId":${quoted(address?.sandboxId)},"port":${address?.port ?? null},"method":"${entry.method}"` +
    `,"upgrade":${entry.isUpgrade},"status":${entry.status},"bytesIn":${entry.bytesIn}` +
    `,"bytesOut":${entry.bytesOut},"totalMs":${rounded(performance.now() - entry.startedAtMs)}` +
    `,"firstByteMs":${firstByteMs < 0 ? null : rounded(firstByteMs)},"error":${quoted(entry.errorCode)}` +
    `,"failure":${quoted(entry.failure)},"msg":"proxied"}\n`
  );
}

/** Only for texts of our own making: ids, codes, names of system errors. */
function quoted(text: string | null | undefined): string {
  return text === null || text === undefined ? 'null' : `"${text}"`;
}

/** Hundredths of a millisecond are as much as the clock is worth here. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}

let stampedMs = 0;
let stamp = '';

/** ISO 8601; put together at most once a millisecond. */
function timestamp(): string {
  const now = Date.now();
  if (now !== stampedMs) {
    stampedMs = now;
    stamp = new Date(now).toISOString();
  }
  return stamp;
}
