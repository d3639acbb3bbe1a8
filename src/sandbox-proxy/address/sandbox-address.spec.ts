import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Base36SandboxIds, SandboxIds } from '../contracts/sandbox-ids.js';
import { InvalidHostError, InvalidPortError } from '../errors.js';
import { type SandboxAddress, SandboxHostNames } from './sandbox-address.js';

const ID = 'cl-0123456789abcdefghijklmno';

function parse(host: string, domains: readonly string[]): SandboxAddress | null {
  return new SandboxHostNames(new Base36SandboxIds(), domains).parse(host);
}

describe('a host name that names a sandbox', () => {
  it.each<[string, number, string]>([
    [`3000-${ID}.example.com`, 3000, `3000-${ID}.example.com`],
    [`1-${ID}.localhost`, 1, `1-${ID}.localhost`],
    [`65535-${ID}.localhost`, 65_535, `65535-${ID}.localhost`],
    [`08080-${ID}.localhost`, 8080, `08080-${ID}.localhost`],
    [`3000-${ID}.localhost:8000`, 3000, `3000-${ID}.localhost`],
    [`3000-${ID}.localhost:`, 3000, `3000-${ID}.localhost`],
    [`3000-${ID}.localhost.`, 3000, `3000-${ID}.localhost`],
    [`3000-${ID}.localhost.:8000`, 3000, `3000-${ID}.localhost`],
    [`3000-${ID.toUpperCase()}.EXAMPLE.Com`, 3000, `3000-${ID}.example.com`],
    [`3000-${ID}.a.b_c.d-e.example.com`, 3000, `3000-${ID}.a.b_c.d-e.example.com`],
  ])('%s', (host, port, hostname) => {
    expect(parse(host, [])).toMatchObject({
      port,
      sandboxId: ID,
      hostname,
      agentPath: `/proxy/${ID}/${port}`,
    });
  });

  it.each(['cl-x', 'cl-0', `${ID}0`, `cl-${'z'.repeat(25)}`])(
    'is one whatever the form of the id %s: only those who are admitted are told',
    (id) => {
      expect(parse(`80-${id}.localhost`, [])).toMatchObject({ sandboxId: id, hasValidId: false });
    },
  );

  it('says whether its id has the form of one', () => {
    expect(parse(`80-${ID}.localhost`, [])?.hasValidId).toBe(true);
  });

  it('has the same address in any letter case, with any port and with a trailing dot', () => {
    const casing = fc.func(fc.boolean());
    const port = fc.option(fc.integer({ min: 0, max: 65_535 }));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65_535 }),
        casing,
        port,
        fc.boolean(),
        (number, upper, at, dot) => {
          const plain = `${number}-${ID}.example.com`;
          const spelled = [...plain].map((c, i) => (upper(i) ? c.toUpperCase() : c)).join('');
          const host = `${spelled}${dot ? '.' : ''}${at === null ? '' : `:${at}`}`;
          const { port: found, sandboxId, hostname } = parse(host, ['example.com']) ?? {};
          expect({ found, sandboxId, hostname }).toEqual({ found: number, sandboxId: ID, hostname: plain });
        },
      ),
    );
  });
});

describe('a host name that is not ours', () => {
  it.each([
    '',
    'localhost',
    '127.0.0.1:8000',
    '[::1]:8000',
    'api.example.com',
    `${ID}.example.com`,
    `3000-${ID}`,
    `3000-${ID}.`,
    `3000-${ID}:80`,
    `x3000-${ID}.example.com`,
    `www.3000-${ID}.example.com`,
    `3000-cl-.example.com`,
    `3000-cl_0123.example.com`,
    `3000-team-0123.example.com`,
    `-3000-${ID}.example.com`,
    `+3000-${ID}.example.com`,
    `0x50-${ID}.example.com`,
    ` 3000-${ID}.example.com`,
    `user@example.com`,
  ])('%j', (host) => {
    expect(parse(host, [])).toBeNull();
  });

  it.each([
    [`3000-${ID}.example.com`, ['example.org']],
    [`3000-${ID}.example.com.evil.net`, ['example.com']],
    [`3000-${ID}.sub.example.com`, ['example.com']],
    [`3000-${ID}.notexample.com`, ['example.com']],
    [`3000-${ID}.com`, ['example.com']],
  ])('%s while only %j count', (host, domains) => {
    expect(parse(host, domains)).toBeNull();
  });

  it('is decided by the domain before the port is looked at', () => {
    expect(parse(`0-${ID}.example.org`, ['example.com'])).toBeNull();
  });
});

describe('a host name that is ours and wrong', () => {
  it.each(['0', '00', '65536', '70000', '99999', '100000', '030000', '9'.repeat(200)])('port %s', (port) => {
    expect(() => parse(`${port}-${ID}.localhost`, [])).toThrow(InvalidPortError);
  });

  it.each([
    `3000-${ID}.${'a.'.repeat(120)}com`,
    `3000-${ID}.localhost:80x`,
    `3000-${ID}.localhost:-1`,
    `3000-${ID}.localhost:123456`,
    `3000-${ID}.localhost:80:80`,
    `3000-${ID}.localhost/`,
    `3000-${ID}.localhost/@example.com`,
    `3000-${ID}.localhost?x`,
    `3000-${ID}.localhost#x`,
    `3000-${ID}.localhost, api.example.com`,
    `3000-${ID}.local host`,
    `3000-${ID}.localhost `,
    `3000-${ID}.local\thost`,
    `3000-${ID}.local\0host`,
    `3000-${ID}.l\u00f6calhost`,
    `3000-${ID}.localhost%00`,
    `3000-${ID}..localhost`,
    `3000-${ID}.example..com`,
    `3000-${ID}.localhost..`,
    `3000-${ID}...`,
    `3000-${ID}.localhost@example.com`,
    `user:password@3000-${ID}.localhost`,
    `@3000-${ID}.localhost`,
  ])('%j', (host) => {
    expect(() => parse(host, [])).toThrow(InvalidHostError);
  });

  it.each([`3000-${ID}.localhost..`, `3000-${ID}.localhost:80x`, `3000-${ID}.localhost/`])(
    'never falls through to the API because of its domain: %j',
    (host) => {
      expect(() => parse(host, ['localhost'])).toThrow(InvalidHostError);
    },
  );
});

/** Ids as another application has them. */
class VmIds extends SandboxIds {
  readonly hostPattern = 'vm-[0-9a-f]+|box[0-9]{3}';
  readonly description = '"vm-" and four hex digits, or "box" and three digits';

  isWellFormed(sandboxId: string): boolean {
    return sandboxId.startsWith('box') || sandboxId.length === 7;
  }
}

describe('a host name in an application with ids of its own', () => {
  const names = new SandboxHostNames(new VmIds(), []);

  it.each([
    ['80-vm-00ff.example.com', 'vm-00ff', true],
    ['80-VM-00FF.Example.com:81', 'vm-00ff', true],
    ['80-vm-0.example.com', 'vm-0', false],
    ['80-box123.example.com', 'box123', true],
  ])('%s', (host, sandboxId, hasValidId) => {
    expect(names.parse(host)).toMatchObject({ port: 80, sandboxId, hasValidId });
  });

  it.each([`80-${ID}.example.com`, '80-vm-xyz.example.com', '80-box12.example.com', 'box123.example.com'])(
    'is not ours in another form: %s',
    (host) => {
      expect(names.parse(host)).toBeNull();
    },
  );
});

describe('parsing any text at all', () => {
  const near = fc.string({
    unit: fc.constantFrom('0', '9', '-', 'c', 'l', 'C', '.', ':', '@', 'z', '/', ' ', '\u00e9', '%'),
    maxLength: 60,
  });

  it('gives null, an address that the text spells, or one of two errors', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          near,
          fc.string(),
          near.map((tail) => `3000-${ID}.${tail}`),
        ),
        (host) => {
          const address = read(host) ?? parse(`1-${ID}.localhost`, []);
          const { hostname = '', port = 0, sandboxId } = address ?? {};
          expect(hostname).toMatch(/^\d+-cl-[0-9a-z]+(\.[0-9a-z_-]+)+$/);
          expect(read(host) === null || host.toLowerCase().startsWith(hostname)).toBe(true);
          expect(hostname.slice(hostname.indexOf('-') + 1)).toContain(`${sandboxId}.`);
          expect(port).toBe(Number.parseInt(hostname, 10));
          expect(port > 0 && port < 65_536).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** The address, or null where there is none or one of the two errors says so. */
function read(host: string): SandboxAddress | null {
  try {
    return parse(host, []);
  } catch (error) {
    if (error instanceof InvalidHostError || error instanceof InvalidPortError) return null;
    throw error;
  }
}

describe('the origin of pages', () => {
  it.each([
    ['', 'http', `http://3000-${ID}.example.com`],
    ['', 'https', `https://3000-${ID}.example.com`],
    [':80', 'http', `http://3000-${ID}.example.com`],
    [':443', 'https', `https://3000-${ID}.example.com`],
    [':443', 'http', `http://3000-${ID}.example.com:443`],
    ['.:8443', 'https', `https://3000-${ID}.example.com:8443`],
  ] as const)('is what a browser calls it: behind "%s", by %s', (behind, scheme, origin) => {
    const address = parse(`3000-${ID}.Example.com${behind}`, []);
    expect(address?.origin(scheme)).toBe(origin);
    expect(address?.originAt(41, scheme)).toBe(origin.replace('3000', '41'));
    expect(address?.portOfOrigin(origin, scheme === 'https')).toBe(3000);
    expect(address?.portOfOrigin(origin.replace('3000', '41'), scheme === 'https')).toBe(41);
  });

  it('may be HTTPS where the proxy does not know that the client came by it', () => {
    expect(parse(`3000-${ID}.example.com`, [])?.portOfOrigin(`https://4000-${ID}.example.com`, false)).toBe(
      4000,
    );
  });

  const OTHER = `${ID.slice(0, -1)}y`;

  it.each([
    '',
    'null',
    `http://3000-${ID}.example.com`,
    `HTTPS://3000-${ID}.example.com`,
    `https://3000-${ID.toUpperCase()}.example.com`,
    `https://3000-${ID}.Example.com`,
    `https://3000-${ID}.example.com.`,
    `https://3000-${ID}.example.com:443`,
    `https://3000-${ID}.example.com:8443`,
    `https://3000-${ID}.example.com/`,
    `https://3000-${ID}.example.com.evil.org`,
    `https://3000-${ID}.evil.org`,
    `https://evil.3000-${ID}.example.com`,
    `https://user@3000-${ID}.example.com`,
    `https://3000-x@4000-${ID}.example.com`,
    `https://3000-evil-${ID}.example.com`,
    `https://3000-${OTHER}.example.com`,
    `https://03000-${ID}.example.com`,
    `https://0-${ID}.example.com`,
    `https://65536-${ID}.example.com`,
    `https://-${ID}.example.com`,
    `https://${ID}.example.com`,
    `https://3000-${ID}.example.com, https://3000-${ID}.example.com`,
    `wss://3000-${ID}.example.com`,
    `https:3000-${ID}.example.com`,
  ])('is foreign in any other spelling: %j', (origin) => {
    expect(parse(`3000-${ID}.example.com`, [])?.portOfOrigin(origin, true)).toBeNull();
  });
});
