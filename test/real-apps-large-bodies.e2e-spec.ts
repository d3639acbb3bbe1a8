import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalAgent } from '../src/demo/local-agent/local-agent.js';
import { digest, GeneratedBytes } from './kit/apps/generated-bytes.js';
import { SandboxClient } from './kit/apps/sandbox-client.js';
import { StreamingApp } from './kit/apps/streaming-app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { Program } from './kit/program.js';
import { settled } from './kit/wait.js';

const AGENT_TOKEN = 'an-agent-token-of-the-test';
const MEGABYTE = 1_048_576;
const BODY_BYTES = 200 * MEGABYTE;
/** A third of a body; what a proxy that streams needs is far below. */
const GROWTH_MAX_BYTES = 64 * MEGABYTE;

// The control plane runs in a process of its own: client, agent and app must not be measured with it.
describe('a body of 200 MB through the built program', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'large-bodies-'));
  const agent = new LocalAgent({ token: AGENT_TOKEN, deniedPorts: () => [] });
  const app = new StreamingApp();
  let db: TestDatabase;
  let program: Program;
  let client: SandboxClient;

  beforeAll(async () => {
    db = await createTestDatabase();
    program = new Program(directory, {
      PORT: '0',
      DATABASE_URL: db.url,
      ADMIN_TOKEN: 'test-admin-token-0123456789',
      AGENT_TOKEN,
    });
    const controlPlanePort = Number(new URL(await program.url()).port);
    const { port } = await agent.start();
    await app.start();
    client = await SandboxClient.create(db, controlPlanePort, `127.0.0.1:${port}`);
    agent.run(client.sandboxId);
    await download(16 * MEGABYTE);
    await upload(16 * MEGABYTE);
  });
  afterAll(async () => {
    await program.end('SIGTERM');
    await app.stop();
    await agent.stop();
    await db.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function download(length: number): Promise<{ length: number; sha256: string }> {
    return digest(await client.get(app.port, `/bytes/${length}`));
  }

  /** What the app has received, and the digest of what was sent. */
  async function upload(length: number) {
    const body = new GeneratedBytes(length);
    const request = client.open(app.port, '/bytes', { method: 'PUT', headers: { 'Content-Length': length } });
    const answered = once(request, 'response');
    Readable.from(body).pipe(request);
    const [response] = (await answered) as [IncomingMessage];
    return { received: await json(response), sent: { length, sha256: body.sha256 } };
  }

  /** How far above its start the program's memory rises while `work` runs, in bytes. */
  async function growth(work: () => Promise<unknown>): Promise<number> {
    const before = program.residentBytes;
    let peak = before;
    const sampling = setInterval(() => {
      peak = Math.max(peak, program.residentBytes);
    }, 25);
    await work().finally(() => clearInterval(sampling));
    return peak - before;
  }

  it('is downloaded whole, and the memory of the process does not grow with it', async () => {
    const grown = await growth(async () => {
      const received = await download(BODY_BYTES);
      expect(received).toEqual({ length: BODY_BYTES, sha256: app.lastSent?.sha256 });
    });
    expect(grown).toBeLessThan(GROWTH_MAX_BYTES);
  });

  it('is uploaded whole, and the memory of the process does not grow with it', async () => {
    const grown = await growth(async () => {
      const { received, sent } = await upload(BODY_BYTES);
      expect(received).toEqual(sent);
    });
    expect(grown).toBeLessThan(GROWTH_MAX_BYTES);
  });

  it('is not read ahead of a client who does not read', async () => {
    const response = await client.get(app.port, `/bytes/${BODY_BYTES}`);
    const grown = await growth(() => settled(() => response.socket.bytesRead));
    expect(app.lastSent?.sha256).toBeNull();
    expect(grown).toBeLessThan(GROWTH_MAX_BYTES);
    response.destroy();
  });
});
