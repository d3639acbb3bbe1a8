import type { AccessRecord } from '../contracts/access-log.js';
import type { Exchange } from '../exchange/exchange.js';

/** A tunnel's record for the log. It keeps no reference to the request and the response. */
export type TunnelRecord = { -readonly [Field in keyof AccessRecord]: AccessRecord[Field] } & {
  /** The host that it leads to. */
  readonly openAt: string | null;
};

export function tunnelRecordOf(exchange: Exchange, bytesIn: number, bytesOut: number): TunnelRecord {
  const { requestId, teamId, sandboxId, port, method, startedAtMs, firstByteMs, status } = exchange;
  const { errorCode, failure, openAt } = exchange;
  return {
    requestId,
    teamId,
    sandboxId,
    port,
    method,
    isUpgrade: true,
    startedAtMs,
    firstByteMs,
    status,
    errorCode,
    failure,
    openAt,
    bytesIn,
    bytesOut,
  };
}
