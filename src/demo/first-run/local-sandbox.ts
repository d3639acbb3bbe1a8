import { DemoApp } from '../demo-app/demo-app.js';
import { LocalAgent } from '../local-agent/local-agent.js';
import { SecretFile } from './secret-file.js';

/**
 * The other side of the proxy on this one machine: the local agent, and the demo app as the code that
 * runs in the sandbox. Both listen on loopback, in this process.
 */
export class LocalSandbox {
  private constructor(
    /** Where the agent listens: `127.0.0.1:{port}`. */
    readonly agentAddress: string,
    readonly demoPort: number,
    readonly stop: () => Promise<void>,
  ) {}

  /**
   * @param dataDir keeps the demo app's port, so that its URL stays the same over restarts
   * @param deniedPorts loopback ports that no request may reach through the agent: ours and the database's
   */
  static async start(dataDir: string, deniedPorts: () => readonly number[]): Promise<LocalSandbox> {
    const portFile = new SecretFile(dataDir, 'demo-port');
    const app = new DemoApp();
    const demo = await app.start(Number(portFile.read() ?? 0));
    portFile.write(String(demo.port));
    const agent = new LocalAgent({ deniedPorts });
    const { port } = await agent.start();
    return new LocalSandbox(`127.0.0.1:${port}`, demo.port, async () => {
      await agent.stop();
      await app.stop();
    });
  }
}
