import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { type Page, PageQuery } from '../database/page.js';
import { ResourceIdPipe } from '../identifiers/resource-id.pipe.js';
import { type ApiKeyView, CreateApiKeyBody, type CreatedApiKeyView } from './api-key.dto.js';
import { TeamKeysService } from './team-keys.service.js';
import { TeamGuard, TeamId } from './team.guard.js';

/** A team manages its own keys. */
@Controller('v1/api-keys')
@UseGuards(TeamGuard)
export class TeamKeysController {
  constructor(private readonly apiKeys: TeamKeysService) {}

  @Post()
  create(@TeamId() teamId: string, @Body() body: CreateApiKeyBody): Promise<CreatedApiKeyView> {
    return this.apiKeys.create(teamId, body.name);
  }

  @Get()
  list(@TeamId() teamId: string, @Query() query: PageQuery): Promise<Page<ApiKeyView>> {
    return this.apiKeys.list(teamId, query);
  }

  @Delete(':id')
  @HttpCode(204)
  delete(
    @TeamId() teamId: string,
    @Param('id', new ResourceIdPipe('key', 'API key')) id: string,
  ): Promise<void> {
    return this.apiKeys.delete(teamId, id);
  }
}
