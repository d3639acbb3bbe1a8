import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { PlatformRows, type Queries } from '../platform-rows.js';

/** What a team's program does: requests to ports of one running sandbox, through the control plane. */
export class SandboxClient {
  private constructor(
    private readonly controlPlanePort: number,
    readonly sandboxId: string,
    private readonly apiKey: string,
  ) {}

  /** Writes a team, its key, an online host at `agentAddress` and a running sandbox on it. */
  static async create(db: Queries, controlPlanePort: number, agentAddress: string): Promise<SandboxClient> {
    const rows = new PlatformRows(db);
    const team = await rows.team();
    const sandbox = await rows.sandbox(team.id, await rows.host(agentAddress));
    return new SandboxClient(controlPlanePort, sandbox.id, team.key);
  }

  /** What names the sandbox's port and who asks, for any client library. */
  headers(port: number): Record<string, string> {
    return { Host: `${port}-${this.sandboxId}.localhost`, 'X-API-Key': this.apiKey };
  }

  /** A request whose body the caller writes and ends. */
  open(port: number, path: string, { headers, ...options }: RequestOptions = {}): ClientRequest {
    const to = { host: '127.0.0.1', port: this.controlPlanePort, path, agent: false as const };
    return request({ ...to, ...options, headers: { ...this.headers(port), ...headers } });
  }

  /** The answer to a request without a body, its own body not yet read. */
  async get(port: number, path: string, options?: RequestOptions): Promise<IncomingMessage> {
    const [response] = (await once(this.open(port, path, options).end(), 'response')) as [IncomingMessage];
    return response;
  }

  /** Status and text of the answer to a GET. */
  async read(port: number, path: string): Promise<{ status: number | undefined; body: string }> {
    const response = await this.get(port, path);
    return { status: response.statusCode, body: await text(response) };
  }

  /** A WebSocket that is about to open. */
  webSocket(port: number, path: string, protocols: string[] = [], headers = {}): WebSocket {
    return new WebSocket(`ws://127.0.0.1:${this.controlPlanePort}${path}`, protocols, {
      headers: { ...this.headers(port), ...headers },
    });
  }
}
