import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from './kit/database.js';
import { newDirectory, Program, removeDirectory } from './kit/program.js';

const TOKEN = 'an-operator-token-of-the-test';

describe('a start that cannot succeed', () => {
  let directory: string;

  beforeEach(() => {
    directory = newDirectory();
  });

  afterEach(() => removeDirectory(directory));

  /** Everything it said, having ended with 1. */
  async function refusal(env: Readonly<Record<string, string>>): Promise<string> {
    const program = new Program(directory, env);
    expect(await program.exited()).toBe(1);
    expect(program.banner).toBe('');
    return program.stderr;
  }

  it('names every variable that is wrong and what each wants', async () => {
    const said = await refusal({ PORT: '80x', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://localhost/x' });
    expect(said).toMatch(/^PORT must be a whole number from 0 to 65535, but is "80x"$/m);
    expect(said).toMatch(/^LOG_LEVEL must be one of fatal, .+$/m);
    expect(said).toMatch(/^DATABASE_URL must be a URL like .+$/m);
    expect(said).toMatch(/^ADMIN_TOKEN must be .+ but is not set$/m);
    expect(said.trim().split('\n')).toHaveLength(4);
  });

  it('is told of a setting that nobody reads, and does not fall back to a demo in production', async () => {
    const said = await refusal({
      NODE_ENV: 'production',
      DATABSE_URL: 'postgres://user:secret@db/x',
      ADMIN_TOKEN: TOKEN,
    });
    expect(said).toMatch(
      /^DATABSE_URL is not a setting, and is ignored: did you mean DATABASE_URL\?\nDATABASE_URL must be set, because NODE_ENV is production; or set EMBEDDED_DATABASE=yes .+\n$/,
    );
    expect(said).not.toContain('secret');
  });

  it('says in one line that the port is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    expect(await refusal({ PORT: String(port) })).toBe(
      `port ${port} on 127.0.0.1 is taken: end the program that listens there, or set PORT to another port\n`,
    );
    squatter.close();
    // nothing half made: the first start is still to come
    const program = new Program(directory, { PORT: '0' });
    await program.url();
    expect(program.banner).toContain('First start');
    expect(await program.end('SIGTERM')).toBe(0);
  });

  it('says in one line that the data directory cannot be written', async () => {
    writeFileSync(join(directory, 'file'), '');
    const said = await refusal({ PORT: '0', DATA_DIR: 'file/data' });
    expect(said).toMatch(/^DATA_DIR \S+\/file\/data cannot be written \(ENOTDIR\): .+ set DATA_DIR .+\n$/);
  });

  it('says in one line that the address to listen on is not this machine’s', async () => {
    const database = await createTestDatabase();
    const said = await refusal({
      DATABASE_URL: database.url,
      ADMIN_TOKEN: TOKEN,
      HOST: '192.0.2.1',
      PORT: '0',
    });
    expect(said).toBe(
      'cannot listen on HOST 192.0.2.1, port 0 (EADDRNOTAVAIL): set HOST to an address of this machine\n',
    );
    await database.drop();
  });

  it('says in one line that the database cannot be reached, without its password', async () => {
    const said = await refusal({
      DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/x',
      ADMIN_TOKEN: TOKEN,
      PORT: '0',
    });
    expect(said).toMatch(/^cannot use the database at 127\.0\.0\.1:1\/x: .+; check DATABASE_URL\n$/);
    expect(said).not.toContain('secret');
  });
});

describe('a start with DATABASE_URL', () => {
  it('makes no demo and no data directory, and ends with 0', async () => {
    const directory = newDirectory();
    const database = await createTestDatabase();
    const program = new Program(directory, { DATABASE_URL: database.url, ADMIN_TOKEN: TOKEN, PORT: '0' });
    const answer = await fetch(`${await program.url()}/readyz`);
    expect(answer.status).toBe(200);
    expect(await database.query('SELECT id FROM teams UNION ALL SELECT id FROM hosts')).toEqual([]);
    expect(await program.end('SIGTERM')).toBe(0);
    expect(program.banner).not.toMatch(/demo|curl/);
    await database.drop();
    removeDirectory(directory);
  });
});
