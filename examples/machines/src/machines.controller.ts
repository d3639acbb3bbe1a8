import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, NotFoundException, Param, Patch, Post } from '@nestjs/common';
import { type Machine, Tables } from './tables.js';

@Controller('machines')
export class MachinesController {
  constructor(private readonly tables: Tables) {}

  @Get()
  list(): Machine[] {
    return [...this.tables.machines.values()];
  }

  @Post()
  create(@Body() { owner, agent }: Pick<Machine, 'owner' | 'agent'>): Machine {
    return this.save({ id: `vm-${randomBytes(6).toString('hex')}`, owner, agent, state: 'on' });
  }

  @Patch(':id')
  change(@Param('id') id: string, @Body() { state }: Pick<Machine, 'state'>): Machine {
    const machine = this.tables.machines.get(id);
    if (machine === undefined) throw new NotFoundException();
    return this.save({ ...machine, state });
  }

  private save(machine: Machine): Machine {
    this.tables.machines.set(machine.id, machine);
    this.tables.events.emit('changed', { table: 'machines', row: machine.id });
    return machine;
  }
}
