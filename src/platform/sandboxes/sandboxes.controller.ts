import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { TeamGuard, TeamId } from '../api-keys/team.guard.js';
import { type Page, PageQuery } from '../database/page.js';
import { SandboxId } from '../identifiers/resource-id.pipe.js';
import { CreateSandboxBody, type SandboxView, UpdateSandboxBody } from './sandbox.dto.js';
import { SandboxesService } from './sandboxes.service.js';

/** A team manages its sandboxes. */
@Controller('v1/sandboxes')
@UseGuards(TeamGuard)
export class SandboxesController {
  constructor(private readonly sandboxes: SandboxesService) {}

  @Post()
  create(@TeamId() teamId: string, @Body() body: CreateSandboxBody): Promise<SandboxView> {
    return this.sandboxes.create(teamId, body);
  }

  @Get()
  list(@TeamId() teamId: string, @Query() query: PageQuery): Promise<Page<SandboxView>> {
    return this.sandboxes.list(teamId, query);
  }

  @Get(':id')
  get(@TeamId() teamId: string, @SandboxId() id: string): Promise<SandboxView> {
    return this.sandboxes.get(teamId, id);
  }

  @Patch(':id')
  update(
    @TeamId() teamId: string,
    @SandboxId() id: string,
    @Body() body: UpdateSandboxBody,
  ): Promise<SandboxView> {
    return this.sandboxes.update(teamId, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  delete(@TeamId() teamId: string, @SandboxId() id: string): Promise<void> {
    return this.sandboxes.delete(teamId, id);
  }
}
