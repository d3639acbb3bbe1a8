import { DemoApp } from '../demo-app/demo-app.js';
import { LocalAgent } from '../local-agent/local-agent.js';
import { SecretFile } from './secret-file.js';

export interface LocalSandboxOptions {
  /** Keeps the demo app's port, so that its URL stays the same over restarts. */
  readonly dataDir: string;
  /** What the control plane sends the agent in `X-Sandbox-Agent-Token`. */
  readonly agentToken: string;
  /** Loopback ports that no request may reach through the agent: our own. */
  readonly deniedPorts: () => readonly number[];
}

/**
 * The other side of the proxy on this one machine: the local agent, and the demo app as the code that
 * runs in the sandbox. Both listen on loopback, in this process.
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

  /** From now on the sandbox `cl-…` is reached through the agent. */
  run(sandboxId: string): void {
    this.agent.run(sandboxId);
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    await this.app.stop();
  }
}
