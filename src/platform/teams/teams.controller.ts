import { Body, Controller, Param, Post, UseGuards } from '@nestjs/common';
import { CreateApiKeyBody, type CreatedApiKeyView } from '../api-keys/api-key.dto.js';
import { TeamKeysService } from '../api-keys/team-keys.service.js';
import { ResourceIdPipe } from '../identifiers/resource-id.pipe.js';
import { OperatorGuard } from '../operator/operator.guard.js';
import { CreateTeamBody, type TeamView } from './team.dto.js';
import { TeamsService } from './teams.service.js';

/** The operator creates teams, and keys for them. */
@Controller('v1/teams')
@UseGuards(OperatorGuard)
export class TeamsController {
  constructor(
    private readonly teams: TeamsService,
    private readonly apiKeys: TeamKeysService,
  ) {}

  @Post()
  create(@Body() body: CreateTeamBody): Promise<TeamView> {
    return this.teams.create(body);
  }

  @Post(':id/api-keys')
  async createApiKey(
    @Param('id', new ResourceIdPipe('team', 'team')) id: string,
    @Body() body: CreateApiKeyBody,
  ): Promise<CreatedApiKeyView> {
    await this.teams.requireExists(id);
    return this.apiKeys.create(id, body.name);
  }
}
