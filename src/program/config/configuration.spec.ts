import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, describe, expect, it } from 'vitest';
import {
  CONFIGURATION_VARIABLES,
  Configuration,
  ConfigurationError,
  configurationTable,
  environmentExample,
  loadConfiguration,
} from './configuration.js';

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfiguration(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

/** A table's rows without the padding that a formatter adds. */
function rows(text: string): string[] {
  return text.split('\n').map((line) => line.replaceAll(/[\s-]+/g, ''));
}

/** A certificate in PEM. */
const FILE = join(mkdtempSync(join(tmpdir(), 'configuration-')), 'agent.pem');
writeFileSync(FILE, (await generate([{ name: 'commonName', value: 'agent' }])).cert);
afterAll(() => rmSync(dirname(FILE), { recursive: true }));

describe('loadConfiguration', () => {
  it('takes the defaults from an empty environment', () => {
    expect(loadConfiguration({})).toEqual(new Configuration());
  });

  it('counts an empty variable as unset', () => {
    expect(loadConfiguration({ PORT: '', DATABASE_URL: '' })).toEqual(new Configuration());
  });

  it('ignores variables that are none of its own', () => {
    expect(Object.keys(loadConfiguration({ HOME: '/', constructor: 'x' }))).toEqual(
      Object.keys(new Configuration()),
    );
  });

  it.each([
    ['PORT', '0', 0],
    ['PORT', '65535', 65535],
    ['WORKERS', '64', 64],
    ['SANDBOX_DOMAINS', ' Example.COM. , localhost,', ['example.com', 'localhost']],
    ['TRUSTED_PROXIES', '10.0.0.0/8, ::1,fd00::/8', ['10.0.0.0/8', '::1', 'fd00::/8']],
    ['PUBLIC_URL', 'https://example.com:8443', 'https://example.com:8443'],
    ['HOST', '::', '::'],
    ['MIGRATIONS', 'off', 'off'],
    ['AGENT_APP_HOST', 'app.internal:{port}', 'app.internal:{port}'],
    ['AGENT_APP_HOST', '', ''],
    ['ADMIN_TOKEN', 'abcdefghijklmnop', 'abcdefghijklmnop'],
    ['AGENT_CA_FILE', FILE, FILE],
    ['LOG_LEVEL', 'silent', 'silent'],
    ['LINK_MAX_TTL_SECONDS', '30', 30],
    ['LINK_MAX_TTL_SECONDS', '2592000', 2_592_000],
  ])('reads %s=%s', (name, text, value) => {
    expect(loadConfiguration({ [name]: text })).toHaveProperty(name, value);
  });

  it.each([
    ['PORT', '80x'],
    ['PORT', ' 80'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '0x50'],
    ['PORT', '8e1'],
    ['WORKERS', '0'],
    ['WORKERS', '65'],
    ['WORKERS', 'auto'],
    ['HOST', 'http://localhost'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['MIGRATIONS', 'true'],
    ['EMBEDDED_DATABASE', 'true'],
    ['SANDBOX_DOMAINS', 'example.com,*.example.com'],
    ['SANDBOX_DOMAINS', 'example.com:8000'],
    ['PUBLIC_URL', 'example.com'],
    ['PUBLIC_URL', 'https://example.com/path'],
    ['PUBLIC_URL', 'https://user@example.com'],
    ['ADMIN_TOKEN', 'fifteen-letters'],
    ['ADMIN_TOKEN', 'a token with spaces in it'],
    ['ROUTE_CACHE_TTL_MS', '2147483648'],
    ['ROUTE_CACHE_MAX', '0'],
    ['LINK_MAX_TTL_SECONDS', '29'],
    ['LINK_MAX_TTL_SECONDS', '2592001'],
    ['AGENT_SCHEME', 'ftp'],
    ['AGENT_CA_FILE', '/does/not/exist.pem'],
    ['AGENT_CA_FILE', '/'],
    ['AGENT_CA_FILE', 'package.json'],
    ['AGENT_KEY_FILE', 'package.json'],
    ['AGENT_CERT_FILE', '/does/not/exist.pem'],
    ['AGENT_KEY_FILE', '/does/not/exist.pem'],
    ['AGENT_ALLOWED_ADDRESSES', 'localhost'],
    ['UPSTREAM_CONNECT_TIMEOUT_MS', '0'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.1/'],
    ['TRUSTED_PROXIES', '10.0.0.1/8/8'],
    ['LOG_LEVEL', 'INFO'],
  ])('refuses %s=%s by name', (name, text) => {
    expect(problemsOf({ [name]: text }).some((problem) => problem.startsWith(`${name} must be `))).toBe(true);
  });

  it('wants the key that belongs to a certificate', () => {
    expect(problemsOf({ AGENT_CERT_FILE: FILE })).toEqual([
      'AGENT_KEY_FILE must be the path of a readable PEM file with a private key; AGENT_CERT_FILE and AGENT_KEY_FILE go together, but is not set',
    ]);
  });

  it('wants ADMIN_TOKEN once DATABASE_URL is set', () => {
    const problems = problemsOf({ DATABASE_URL: 'postgres://u:p@localhost/db' });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^ADMIN_TOKEN must be at least 16 .* but is not set$/);
  });

  it('wants DATABASE_URL with NODE_ENV=production, unless the embedded database is asked for', () => {
    const production = { NODE_ENV: 'production' };
    expect(problemsOf(production)).toEqual([
      'DATABASE_URL must be set, because NODE_ENV is production; or set EMBEDDED_DATABASE=yes to keep everything in a PostgreSQL in DATA_DIR, with a demo',
    ]);
    expect(problemsOf({ ...production, EMBEDDED_DATABASE: 'yes' })).toEqual([]);
    const own = { DATABASE_URL: 'postgres://u:p@localhost/db', ADMIN_TOKEN: 'abcdefghijklmnop' };
    expect(problemsOf({ ...production, ...own })).toEqual([]);
  });

  it('refuses the embedded database where EMBEDDED_DATABASE is no', () => {
    expect(problemsOf({ EMBEDDED_DATABASE: 'no' })).toEqual([
      expect.stringMatching(/^DATABASE_URL must be set, because EMBEDDED_DATABASE is no; or set /),
    ]);
  });

  it('keeps the listener open for 5 s after SIGTERM with NODE_ENV=production alone', () => {
    const delay = (env: NodeJS.ProcessEnv) =>
      loadConfiguration({ EMBEDDED_DATABASE: 'yes', ...env }).SHUTDOWN_DELAY_MS;
    expect(delay({})).toBe(0);
    expect(delay({ NODE_ENV: 'test' })).toBe(0);
    expect(delay({ NODE_ENV: 'production' })).toBe(5_000);
    expect(delay({ NODE_ENV: 'production', SHUTDOWN_DELAY_MS: '0' })).toBe(0);
  });

  it('reports all problems at once, one line each, with what it got', () => {
    expect(problemsOf({ PORT: '80x', LOG_LEVEL: 'loud\nforged', MIGRATIONS: 'maybe' })).toEqual([
      'PORT must be a whole number from 0 to 65535, but is "80x"',
      'MIGRATIONS must be auto or off, but is "maybe"',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, but is "loud\\nforged"',
    ]);
  });

  it('never prints the value of a secret', () => {
    const problems = problemsOf({ DATABASE_URL: 'mysql://u:hunter2@db/x', ADMIN_TOKEN: 'too short' });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toMatch(/hunter2|too short/);
  });
});

describe('the documentation of the configuration', () => {
  it('declares every property of the schema', () => {
    expect(CONFIGURATION_VARIABLES.map(({ name }) => name)).toEqual(Object.keys(new Configuration()));
  });

  it('keeps .env.example equal to the schema', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(environmentExample());
  });

  it("keeps the README's table equal to the schema", () => {
    expect(rows(readFileSync('README.md', 'utf8'))).toEqual(
      expect.arrayContaining(rows(configurationTable())),
    );
  });
});
