import { Injectable } from '@nestjs/common';
import {
  SandboxDirectory,
  type SandboxLocation,
  type SandboxOfTeam,
} from '@sandbox-control-plane/sandbox-proxy';
import { Tables } from './tables.js';

/** Where a machine is: what the proxy calls a team is the machine's owner here. */
@Injectable()
export class MachineDirectory extends SandboxDirectory {
  constructor(private readonly tables: Tables) {
    super();
  }

  async locate(id: string, owner: string): Promise<SandboxLocation | null> {
    const machine = this.tables.machines.get(id);
    if (machine?.owner !== owner) return null; // not there, or somebody else's: the same answer
    return { status: machine.state === 'on' ? 'running' : 'off', address: machine.agent, hostId: null };
  }

  locateMany(pairs: readonly SandboxOfTeam[]): Promise<(SandboxLocation | null)[]> {
    return Promise.all(pairs.map(({ sandboxId, teamId }) => this.locate(sandboxId, teamId)));
  }
}
