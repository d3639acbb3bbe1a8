import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ConflictError, NotFoundError } from '../errors/request.errors.js';
import { type CreateTeamBody, type TeamView, viewTeam } from './team.dto.js';
import { Team } from './team.entity.js';

/** Teams as a resource of the API. */
@Injectable()
export class TeamsService {
  constructor(@InjectRepository(Team) private readonly teams: Repository<Team>) {}

  /** @throws ConflictError when the slug is taken, even by a deleted team. */
  async create({ name, slug = slugOf(name) }: CreateTeamBody): Promise<TeamView> {
    const id = randomUUID();
    const { raw } = await this.teams
      .createQueryBuilder()
      .insert()
      .values({ id, name, slug })
      .orIgnore()
      .returning('id')
      .execute();
    if (!Array.isArray(raw) || raw.length === 0) throw new ConflictError('the slug is taken');
    return viewTeam(await this.teams.findOneByOrFail({ id }));
  }

  /** @throws NotFoundError when there is no such team or it has been deleted. */
  async requireExists(id: string): Promise<void> {
    if (!(await this.teams.existsBy({ id }))) throw new NotFoundError('team');
  }
}

/** `Große Firma!` -> `gro-e-firma-1f2e3d`. The random end keeps equal names apart. */
function slugOf(name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? ['team'];
  return `${words.join('-').slice(0, 40).replace(/-$/, '')}-${randomBytes(3).toString('hex')}`;
}
