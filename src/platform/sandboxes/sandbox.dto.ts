import { IsIn, IsOptional, IsString, Length, ValidateIf } from 'class-validator';
import { IsMetadata } from '../errors/metadata.validator.js';
import { encodeId } from '../identifiers/resource-id.js';
import { IsResourceId } from '../identifiers/resource-id.pipe.js';
import { type Sandbox, SANDBOX_STATUSES, type SandboxStatus } from './sandbox.entity.js';

export class CreateSandboxBody {
  @IsString()
  @Length(1, 200)
  template!: string;

  /** Where it runs; it can be told later. */
  @IsOptional()
  @IsResourceId('host')
  hostId?: string | null;

  @IsIn(SANDBOX_STATUSES)
  status: SandboxStatus = 'pending';

  @IsMetadata()
  metadata: Record<string, unknown> = {};
}

export class UpdateSandboxBody {
  @ValidateIf((body: UpdateSandboxBody) => body.status !== undefined)
  @IsIn(SANDBOX_STATUSES)
  status?: SandboxStatus;

  /** null: it is on no host any more. */
  @IsOptional()
  @IsResourceId('host')
  hostId?: string | null;
}

/** A sandbox as the API shows it to its team. */
export interface SandboxView {
  readonly id: string;
  readonly hostId: string | null;
  readonly template: string;
  readonly status: SandboxStatus;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Where its ports answer, with `{port}` to be replaced: `http://{port}-cl-….localhost:8000`. */
  readonly urlTemplate: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly lastActiveAt: Date | null;
  readonly updatedAt: Date;
}

export function viewSandbox(sandbox: Sandbox, urlTemplate: string): SandboxView {
  return {
    id: encodeId('cl', sandbox.id),
    hostId: sandbox.hostId === null ? null : encodeId('host', sandbox.hostId),
    template: sandbox.template,
    status: sandbox.status,
    metadata: sandbox.metadata,
    urlTemplate,
    createdAt: sandbox.createdAt,
    startedAt: sandbox.startedAt,
    lastActiveAt: sandbox.lastActiveAt,
    updatedAt: sandbox.lastUpdatedAt,
  };
}
