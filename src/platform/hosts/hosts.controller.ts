import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { type Page, PageQuery } from '../database/page.js';
import { ResourceIdPipe } from '../identifiers/resource-id.pipe.js';
import { OperatorGuard } from '../operator/operator.guard.js';
import { CreateHostBody, type HostView, UpdateHostBody } from './host.dto.js';
import { HostsService } from './hosts.service.js';

const HostId = (): ParameterDecorator => Param('id', new ResourceIdPipe('host', 'host'));

/** The operator manages the machines that run sandboxes. */
@Controller('v1/hosts')
@UseGuards(OperatorGuard)
export class HostsController {
  constructor(private readonly hosts: HostsService) {}

  @Post()
  create(@Body() body: CreateHostBody): Promise<HostView> {
    return this.hosts.create(body);
  }

  @Get()
  list(@Query() query: PageQuery): Promise<Page<HostView>> {
    return this.hosts.list(query);
  }

  @Get(':id')
  get(@HostId() id: string): Promise<HostView> {
    return this.hosts.get(id);
  }

  @Patch(':id')
  update(@HostId() id: string, @Body() body: UpdateHostBody): Promise<HostView> {
    return this.hosts.update(id, body);
  }

  @Post(':id/heartbeat')
  @HttpCode(200)
  heartbeat(@HostId() id: string): Promise<HostView> {
    return this.hosts.heartbeat(id);
  }

  @Delete(':id')
  @HttpCode(204)
  delete(@HostId() id: string): Promise<void> {
    return this.hosts.delete(id);
  }
}
