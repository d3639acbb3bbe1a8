import { DemoApp } from '../demo-app/demo-app.js';
import { LocalAgent } from '../local-agent/local-agent.js';
import { SecretFile } from './secret-file.js';

export interface LocalSandboxOptions {
  /** Where the demo app's port is kept, so that its URL stays the same after a restart. */
  readonly dataDir: string;
  /** What the control plane sends the agent in `X-Sandbox-Agent-Token`. */
  readonly agentToken: string;
  /** The program's own ports, which no request may reach through the agent. */
  readonly deniedPorts: () => readonly number[];
}

/**
 * What is behind the proxy, all on this machine: the local agent, and the demo app as the code that runs in the
 * sandbox. Both listen on loopback, in this process.
 */
export class LocalSandbox {
  private constructor(
    private readonly agent: LocalAgent,
    private readonly app: DemoApp,
    /** Where the agent listens: `127.0.0.1:{port}`. */
    readonly agentAddress: string,
    readonly demoPort: number,
  ) {}

  static async start({ dataDir, agentToken, deniedPorts }: LocalSandboxOptions): Promise<LocalSandbox> {
    const portFile = new SecretFile(dataDir, 'demo-port');
    const app = new DemoApp();
    const demo = await app.start(Number(portFile.read() ?? 0));
    portFile.write(String(demo.port));
    const agent = new LocalAgent({ token: agentToken, deniedPorts });
    const { port } = await agent.start();
    return new LocalSandbox(agent, app, `127.0.0.1:${port}`, demo.port);
  }

  /** From now on the sandbox `cl-…` can be reached through the agent. */
  run(sandboxId: string): void {
    this.agent.run(sandboxId);
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    await this.app.stop();
  }
}
