import { IsString, Length, Matches, ValidateIf } from 'class-validator';
import { encodeId } from '../identifiers/resource-id.js';
import type { Team } from './team.entity.js';

export class CreateTeamBody {
  @IsString()
  @Length(1, 200)
  name!: string;

  /** Absent: made from the name. */
  @ValidateIf((body: CreateTeamBody) => body.slug !== undefined)
  @Matches(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
    message: 'slug must be 1 to 63 of a-z, 0-9 and inner hyphens',
  })
  slug?: string;
}

/** A team as the API shows it. */
export interface TeamView {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly createdAt: Date;
}

export function viewTeam(team: Team): TeamView {
  return { id: encodeId('team', team.id), name: team.name, slug: team.slug, createdAt: team.createdAt };
}
