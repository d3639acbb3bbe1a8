import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
} from 'class-validator';
import { encodeId } from '../identifiers/resource-id.js';
import { IsOrigin } from './origin.validator.js';
import type { SandboxLink } from './sandbox-link.entity.js';

export class CreateLinkBody {
  @IsInt()
  @Min(1)
  @Max(65_535)
  port!: number;

  @IsInt()
  @Min(30)
  @Max(86_400)
  ttlSeconds: number = 900;

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

  @IsArray()
  @ArrayMaxSize(20)
  @IsOrigin({ each: true })
  allowedOrigins: string[] = [];
}

/** A link as the API shows it, without its token. */
export interface LinkView {
  readonly id: string;
  readonly port: number;
  readonly label: string | null;
  readonly once: boolean;
  readonly embed: boolean;
  readonly allowedOrigins: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** When a browser first opened it. */
  readonly usedAt: Date | null;
}

/** The one answer that holds the URL with the token. */
export interface CreatedLinkView extends LinkView {
  readonly url: string;
}

export function viewLink(link: SandboxLink): LinkView {
  const { port, label, once, embed, allowedOrigins, createdAt, expiresAt, usedAt } = link;
  return {
    id: encodeId('link', link.id),
    port,
    label,
    once,
    embed,
    allowedOrigins,
    createdAt,
    expiresAt,
    usedAt,
  };
}
