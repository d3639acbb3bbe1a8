import { IsIn, IsString, Length, Matches, ValidateIf } from 'class-validator';
import { IsMetadata } from '../errors/metadata.validator.js';
import { encodeId } from '../identifiers/resource-id.js';
import { type Host, HOST_STATUSES, type HostStatus } from './host.entity.js';

/** Empty, `ip:port`, `name:port`, or an http(s) URL without a path. */
const ADDRESS =
  /^(?:|(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d{1,5}|https?:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?\/?)$/i;
const ADDRESS_MESSAGE = 'address must be ip:port, name:port or an http(s) URL without a path';

export class CreateHostBody {
  /** What kind of machine it is; free text. */
  @IsString()
  @Length(1, 100)
  type: string = 'machine';

  @Length(0, 300)
  @Matches(ADDRESS, { message: ADDRESS_MESSAGE })
  address: string = '';

  @IsIn(HOST_STATUSES)
  status: HostStatus = 'pending';

  @IsMetadata()
  metadata: Record<string, unknown> = {};
}

export class UpdateHostBody {
  @ValidateIf((body: UpdateHostBody) => body.address !== undefined)
  @Length(0, 300)
  @Matches(ADDRESS, { message: ADDRESS_MESSAGE })
  address?: string;

  @ValidateIf((body: UpdateHostBody) => body.status !== undefined)
  @IsIn(HOST_STATUSES)
  status?: HostStatus;
}

/** A host as the API shows it to the operator. */
export interface HostView {
  readonly id: string;
  readonly type: string;
  readonly address: string;
  readonly status: HostStatus;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly lastHeartbeatAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export function viewHost(host: Host): HostView {
  return {
    id: encodeId('host', host.id),
    type: host.type,
    address: host.address,
    status: host.status,
    metadata: host.metadata,
    lastHeartbeatAt: host.lastHeartbeatAt,
    createdAt: host.createdAt,
    updatedAt: host.updatedAt,
  };
}
