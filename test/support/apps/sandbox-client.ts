import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { apiKeyPrefix, generateApiKey, hashApiKey } from '../../../src/platform/identifiers/api-key.js';
import { encodeId } from '../../../src/platform/identifiers/resource-id.js';
import type { TestDatabase } from '../database.js';

/** What a team's program does: requests to ports of one running sandbox, through the control plane. */
export class SandboxClient {
  private constructor(
    private readonly controlPlanePort: number,
    readonly sandboxId: string,
    private readonly apiKey: string,
  ) {}

  /** Writes a team, its key, an online host at `agentAddress` and a running sandbox on it. */
  static async create(
    db: TestDatabase,
    controlPlanePort: number,
    agentAddress: string,
  ): Promise<SandboxClient> {
    const [team, host, sandbox] = [randomUUID(), randomUUID(), randomUUID()];
    const key = generateApiKey();
    const slug = randomBytes(6).toString('hex');
    await db.query('INSERT INTO teams (id, name, slug) VALUES ($1, $2, $2)', [team, slug]);
    await db.query(
      'INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix) VALUES ($1, $2, $3, $4, $5)',
      [randomUUID(), team, 'test', hashApiKey(key), apiKeyPrefix(key)],
    );
    await db.query(`INSERT INTO hosts (id, type, address, status) VALUES ($1, 'local-agent', $2, 'online')`, [
      host,
      agentAddress,
    ]);
    await db.query(
      `INSERT INTO sandboxes (id, team_id, host_id, template, status) VALUES ($1, $2, $3, 'test', 'running')`,
      [sandbox, team, host],
    );
    return new SandboxClient(controlPlanePort, encodeId('cl', sandbox), key);
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
