import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { apiKey } from '../kit/first-start.js';
import { newDirectory, Program, removeDirectory } from '../kit/program.js';
import { HttpsFront } from './https-front.js';

/** Known to no name server, and below no `.localhost`, for which browsers make exceptions. */
const DOMAIN = 'sandbox.example.test';

/** The built program as `npm start` runs it, with the demo's local agent, and HTTPS with a name in front of it. */
export class Stage {
  private readonly front = new HttpsFront();
  private readonly directory = newDirectory();
  private readonly certificates = mkdtempSync(join(tmpdir(), 'apps-certificate-'));
  private program!: Program;
  private url = '';
  private sandboxId = '';
  key = '';

  /** PEM file of the front's certificate. */
  readonly caFile = join(this.certificates, 'ca.pem');

  async start(): Promise<void> {
    this.program = new Program(this.directory, {
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      PUBLIC_URL: `https://${DOMAIN}`,
      SANDBOX_DOMAINS: DOMAIN,
      TRUSTED_PROXIES: '127.0.0.1',
    });
    this.url = await this.program.url();
    this.key = apiKey(this.program.banner);
    this.sandboxId = /\d+-(cl-\w+)\./.exec(this.program.banner)?.[1] ?? '';
    if (this.key === '' || this.sandboxId === '') throw new Error(`no demo in: ${this.program.banner}`);
    const { cert, private: key } = await generate([{ name: 'commonName', value: DOMAIN }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: `*.${DOMAIN}` }] },
      ],
    });
    writeFileSync(this.caFile, cert);
    await this.front.start({ cert, key }, this.program.port);
  }

  async stop(): Promise<void> {
    await this.front.stop();
    await this.program?.end('SIGTERM');
    removeDirectory(this.directory);
    rmSync(this.certificates, { recursive: true });
  }

  /** For Chromium: the domain leads to the front as if that were port 443, and nothing else leads anywhere. */
  get resolverRules(): string {
    return `MAP *.${DOMAIN} 127.0.0.1:${this.front.port}, MAP * ~NOTFOUND`;
  }

  /** Of a port of the sandbox, as browsers see it: `https://3000-cl-….sandbox.example.test`. */
  originOf(port: number): string {
    return `https://${port}-${this.sandboxId}.${DOMAIN}`;
  }

  /** The same for programs, which find no name: `https://3000-cl-….sandbox.example.test:41000`, at 127.0.0.1. */
  programUrl(port: number): string {
    return `${this.originOf(port)}:${this.front.port}`;
  }

  /** The URL of a new preview link, which opens these ports and leads to the first. */
  async link(ports: readonly number[]): Promise<string> {
    const { url } = (await this.call('POST', 'links', { ports, ttlSeconds: 3_600 })) as { url: string };
    return url;
  }

  async setVisibility(port: number, visibility: 'public' | 'private'): Promise<void> {
    await this.call('PUT', `ports/${port}`, { visibility });
  }

  private async call(method: string, path: string, body: object): Promise<unknown> {
    const answer = await fetch(`${this.url}/v1/sandboxes/${this.sandboxId}/${path}`, {
      method,
      headers: { 'X-API-Key': this.key, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
