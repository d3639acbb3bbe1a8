import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { TeamGuard, TeamId } from '../api-keys/team.guard.js';
import { type Page, PageQuery } from '../database/page.js';
import { ResourceIdPipe, SandboxId } from '../identifiers/resource-id.pipe.js';
import { type CreatedLinkView, CreateLinkBody, type LinkView } from './link.dto.js';
import { LinksService } from './links.service.js';

/** A team makes, lists and revokes the links that open its sandboxes in a browser. */
@Controller('v1/sandboxes/:id/links')
@UseGuards(TeamGuard)
export class LinksController {
  constructor(private readonly links: LinksService) {}

  @Post()
  create(
    @TeamId() teamId: string,
    @SandboxId() id: string,
    @Body() body: CreateLinkBody,
  ): Promise<CreatedLinkView> {
    return this.links.create(teamId, id, body);
  }

  @Get()
  list(
    @TeamId() teamId: string,
    @SandboxId() id: string,
    @Query() query: PageQuery,
  ): Promise<Page<LinkView>> {
    return this.links.list(teamId, id, query);
  }

  @Delete(':linkId')
  @HttpCode(204)
  revoke(
    @TeamId() teamId: string,
    @SandboxId() id: string,
    @Param('linkId', new ResourceIdPipe('link', 'link')) linkId: string,
  ): Promise<void> {
    return this.links.revoke(teamId, id, linkId);
  }
}
