import type { AccessRecord } from '../contracts/access-log.js';
import { type Exchange, plainRecordOf } from '../exchange/exchange.js';

/** A tunnel's record for the log. It keeps no reference to the request and the response. */
export type TunnelRecord = { -readonly [Field in keyof AccessRecord]: AccessRecord[Field] } & {
  /** The host that it leads to. */
  readonly openAt: string | null;
};

export function tunnelRecordOf(exchange: Exchange, bytesIn: number, bytesOut: number): TunnelRecord {
  return { ...plainRecordOf(exchange), bytesIn, bytesOut, openAt: exchange.openAt };
}
