import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import { LOGGER } from '../../logging/logger.js';
import type { ProxyExchange } from '../forwarding/proxy-exchange.js';

/** Lines are written when this many characters wait, or after this long (ms), whichever comes first. */
const BATCH_CHARACTERS = 65_536;
const BATCH_MS = 200;

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
  private batch = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(@Inject(LOGGER) logger: Logger) {
    this.isEnabled = logger.isLevelEnabled('info');
    this.destination = (logger as Logger & Record<symbol, DestinationStream>)[
      pino.symbols.streamSym
    ] as DestinationStream;
  }

  record(exchange: ProxyExchange): void {
    if (!this.isEnabled) return;
    this.batch += lineOf(exchange);
    if (this.batch.length >= BATCH_CHARACTERS) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
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

function lineOf(exchange: ProxyExchange): string {
  const { address, errorCode, failure, firstByteMs, request, teamId } = exchange;
  return (
    `{"level":30,"time":"${timestamp()}","requestId":"${exchange.requestId}","teamId":${quoted(teamId)}` +
    `,"sandboxId":${quoted(address?.sandboxId)},"port":${address?.port ?? null},"method":"${request.method}"` +
    `,"upgrade":${exchange.upgrade !== null},"status":${exchange.status},"bytesIn":${exchange.bytesIn}` +
    `,"bytesOut":${exchange.bytesOut},"totalMs":${rounded(performance.now() - exchange.startedAtMs)}` +
    `,"firstByteMs":${firstByteMs < 0 ? null : rounded(firstByteMs)},"error":${quoted(errorCode)}` +
    `,"failure":${quoted(failure)},"msg":"proxied"}\n`
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
