import { inject } from 'vitest';
import { Agent } from './agent.js';
import { AppProcess, type Inspection } from './app-process.js';
import { type AppName, APPS } from './foreign-apps.global-setup.js';
import type { Place } from './sandbox-client.js';

export interface Credential {
  readonly id: string;
  /** As header of a request. */
  readonly fields: Readonly<Record<string, string>>;
}

/** The example application, running, with an agent and what its staff can do in it. */
export class Machines {
  private constructor(
    readonly app: AppProcess,
    readonly agent: Agent,
  ) {}

  static async start(
    name: AppName,
    { variant = 'src', env = {}, inspection = {} as Inspection } = {},
  ): Promise<Machines> {
    const script = `dist/${variant}/${APPS[name].platform}.js`;
    const agent = await Agent.start();
    return new Machines(await AppProcess.start(inject('foreignApps')[name], script, env, inspection), agent);
  }

  /** A machine of that owner that is on; the id. */
  async machine(owner: string): Promise<string> {
    const agent = this.agent.address;
    return (await this.app.call<{ id: string }>('POST', 'machines', { owner, agent })).id;
  }

  place(sandboxId: string): Place {
    return { port: this.app.port, sandboxId };
  }

  async turnOff(id: string): Promise<void> {
    await this.app.call('PATCH', `machines/${id}`, { state: 'off' });
  }

  async key(owner: string): Promise<Credential> {
    const { id, key } = await this.app.call<{ id: string; key: string }>('POST', 'keys', { owner });
    return { id, fields: { 'X-API-Key': key } };
  }

  async deleteKey({ id }: Credential): Promise<void> {
    await this.app.call('DELETE', `keys/${id}`);
  }

  async token(owner: string, seconds = 600): Promise<Credential> {
    const made = await this.app.call<{ id: string; token: string }>('POST', 'tokens', { owner, seconds });
    return { id: made.id, fields: { Authorization: `Bearer ${made.token}` } };
  }

  async revokeToken({ id }: Credential): Promise<void> {
    await this.app.call('DELETE', `tokens/${id}`);
  }

  async stop(): Promise<void> {
    await this.app.stop('SIGKILL');
    await this.agent.stop();
  }
}
