import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import { encodeId } from '../identifiers/resource-id.js';
import { IsOrigin } from './origin.validator.js';
import type { SandboxLink } from './sandbox-link.entity.js';

/** Most ports of one link. */
const MAX_PORTS = 5;

export class CreateLinkBody {
  /** Instead of `ports`. */
  @ValidateIf((body: CreateLinkBody) => body.port !== undefined || body.ports === undefined)
  @IsInt()
  @Min(1)
  @Max(65_535)
  port?: number;

  /** It is opened at the first one, and begins a session at each: pages of each may then act at the others. */
  @ValidateIf((body: CreateLinkBody) => body.ports !== undefined)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_PORTS)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(65_535, { each: true })
  ports?: number[];

  /** Default: 15 minutes. At most `LINK_MAX_TTL_SECONDS`, which the service checks. */
  @ValidateIf((body: CreateLinkBody) => body.ttlSeconds !== undefined)
  @IsInt()
  @Min(30)
  ttlSeconds?: number;

  @IsOptional()
  @IsString()
  @Length(1, 200)
  label?: string | null;

  /** Only the first browser that opens it gets a session. */
  @IsBoolean()
  once: boolean = false;

  /** Whether the sandbox may be shown in a frame of another site. */
  @IsBoolean()
  embed: boolean = false;

  /** Whether using a session prolongs it: by `ttlSeconds` from then on, until `renewUntil`. */
  @IsBoolean()
  renew: boolean = false;

  /** With `renew`. Default: `LINK_MAX_TTL_SECONDS` from now on, which is also the most. */
  @ValidateIf((body: CreateLinkBody) => body.renewUntil !== undefined)
  @IsISO8601({ strict: true })
  renewUntil?: string;

  /** Whether its sessions end when the sandbox stops running, or moves to another host. */
  @IsBoolean()
  endSessionsOnPause: boolean = false;

  @IsArray()
  @ArrayMaxSize(20)
  @IsOrigin({ each: true })
  allowedOrigins: string[] = [];
}

/** A link as the API shows it, without its token. */
export interface LinkView {
  readonly id: string;
  /** At which it is opened. */
  readonly port: number;
  readonly ports: readonly number[];
  readonly label: string | null;
  readonly once: boolean;
  readonly embed: boolean;
  readonly allowedOrigins: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly renew: boolean;
  /** When its sessions end, however much they are used; null without `renew`. */
  readonly renewUntil: Date | null;
  readonly endSessionsOnPause: boolean;
  /** When a browser first opened it. */
  readonly usedAt: Date | null;
}

/** The one answer that holds the URL with the token. */
export interface CreatedLinkView extends LinkView {
  readonly url: string;
}

export function viewLink(link: SandboxLink): LinkView {
  const { port, ports, label, once, embed, allowedOrigins, createdAt, expiresAt, usedAt } = link;
  const { renewUntil, endSessionsOnPause } = link;
  return {
    id: encodeId('link', link.id),
    port,
    ports: ports ?? [port],
    label,
    once,
    embed,
    allowedOrigins,
    createdAt,
    expiresAt,
    renew: renewUntil !== null,
    renewUntil,
    endSessionsOnPause,
    usedAt,
  };
}
