import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { AccessLog, type AccessRecord } from '../../sandbox-proxy/index.js';
import { type LogDestination, MAX_WRITE_BYTES } from './log-output.js';
import { destinationOf, LOGGER } from './logger.js';

/** Lines are written when they make a write of the largest size, or after this long (ms), whichever comes first. */
const BATCH_MS = 200;
/** Most sandboxes whose part of the line is remembered. When there are more, all are forgotten. */
const MAX_SUBJECTS = 4_096;

/** The part of a line that names team, sandbox and port: from after the request's id up to its method. */
interface Subject {
  readonly teamId: string | null;
  readonly port: number | null;
  readonly text: string;
}

/**
 * Writes one line for each proxied request when it ends, to pino's destination and in pino's format. The line is put
 * together by hand, and lines are written in batches: pino would take a third of the time of a proxied request
 * (docs/decisions/0005-access-log.md). Nothing is escaped, because no text in a record can hold a quote or a line
 * break.
 */
@Injectable()
export class ProgramAccessLog extends AccessLog implements OnApplicationShutdown {
  private readonly isEnabled: boolean;
  private readonly destination: LogDestination;
  private readonly subjects = new Map<string | null, Subject>();
  private batch = Buffer.allocUnsafeSlow(MAX_WRITE_BYTES);
  private filledBytes = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(@Inject(LOGGER) logger: Logger) {
    super();
    this.isEnabled = logger.isLevelEnabled('info');
    this.destination = destinationOf(logger);
  }

  override record(record: AccessRecord): void {
    if (!this.isEnabled) return;
    const line = lineOf(record, this.subjectOf(record));
    if (this.filledBytes + line.length > MAX_WRITE_BYTES) this.flush();
    this.filledBytes += this.batch.write(line, this.filledBytes, 'latin1');
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS).unref();
  }

  /** Hands the lines that wait to the destination. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.filledBytes === 0) return;
    const lines = this.batch.subarray(0, this.filledBytes);
    this.batch = Buffer.allocUnsafeSlow(MAX_WRITE_BYTES);
    this.filledBytes = 0;
    if (this.destination.writeBytes === undefined) this.destination.write(lines.toString('latin1'));
    else this.destination.writeBytes(lines);
  }

  onApplicationShutdown(): void {
    this.flush();
  }

  /** Made once for each sandbox: joining the pieces is what a line costs. */
  private subjectOf({ teamId, sandboxId, port }: AccessRecord): string {
    const known = this.subjects.get(sandboxId);
    if (known !== undefined && known.teamId === teamId && known.port === port) return known.text;
    const text = `","teamId":${quoted(teamId)},"sandboxId":${quoted(sandboxId)},"port":${port},"method":"`;
    Number(text); // V8 joins the pieces of a string when it is first read as a whole: now, and not for each line
    if (this.subjects.size >= MAX_SUBJECTS) this.subjects.clear();
    this.subjects.set(sandboxId, { teamId, port, text });
    return text;
  }
}

function lineOf(record: AccessRecord, subject: string): string {
  const { firstByteMs, errorCode, failure } = record;
  const failed =
    errorCode === null && failure === null
      ? NOT_FAILED
      : `,"error":${quoted(errorCode)},"failure":${quoted(failure)},"msg":"proxied"}\n`;
  return (
    `${lineStart()}${record.requestId}${subject}${record.method}","upgrade":${record.isUpgrade}` +
    `,"status":${record.status},"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}` +
    `,"totalMs":${rounded(performance.now() - record.startedAtMs)}` +
    `,"firstByteMs":${firstByteMs < 0 ? 'null' : rounded(firstByteMs)}${failed}`
  );
}

const NOT_FAILED = ',"error":null,"failure":null,"msg":"proxied"}\n';

/** Only for texts of our own making: ids, codes, names of system errors. */
function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`;
}

/** Rounds to hundredths of a millisecond. */
function rounded(milliseconds: number): string {
  const hundredths = Math.round(milliseconds * 100);
  const fraction = hundredths % 100;
  return `${(hundredths - fraction) / 100}.${fraction < 10 ? '0' : ''}${fraction}`;
}

let stampedMs = 0;
let start = '';

/** The line up to the request's id. The time is in ISO 8601, and made at most once a millisecond. */
function lineStart(): string {
  const now = Date.now();
  if (now !== stampedMs) {
    stampedMs = now;
    start = `{"level":30,"time":"${new Date(now).toISOString()}","requestId":"`;
  }
  return start;
}
