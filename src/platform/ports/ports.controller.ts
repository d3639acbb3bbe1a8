import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, UseGuards } from '@nestjs/common';
import { TeamGuard, TeamId } from '../api-keys/team.guard.js';
import { SandboxId } from '../identifiers/resource-id.pipe.js';
import { type Page, PageQuery } from '../database/page.js';
import { type PortView, PutPortBody } from './port.dto.js';
import { PortPipe } from './port.pipe.js';
import { PortsService } from './ports.service.js';

const Port = (): ParameterDecorator => Param('port', new PortPipe());

/** A team says who may reach a port of its sandbox, and from which pages. */
@Controller('v1/sandboxes/:id/ports')
@UseGuards(TeamGuard)
export class PortsController {
  constructor(private readonly ports: PortsService) {}

  @Get()
  list(
    @TeamId() teamId: string,
    @SandboxId() id: string,
    @Query() query: PageQuery,
  ): Promise<Page<PortView>> {
    return this.ports.list(teamId, id, query);
  }

  @Delete(':port')
  @HttpCode(204)
  delete(@TeamId() teamId: string, @SandboxId() id: string, @Port() port: number): Promise<void> {
    return this.ports.delete(teamId, id, port);
  }

  @Put(':port')
  put(
    @TeamId() teamId: string,
    @SandboxId() id: string,
    @Port() port: number,
    @Body() body: PutPortBody,
  ): Promise<PortView> {
    return this.ports.put(teamId, id, port, body);
  }
}
