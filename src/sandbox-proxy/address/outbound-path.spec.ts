import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidPathError } from '../errors.js';
import { outboundPath } from './outbound-path.js';

describe('a path', () => {
  it.each([
    '/',
    '//',
    '///a//b//',
    '/a/',
    '/a%2Fb',
    '/a%2fb/c%5Cd',
    '/%40(x)/@:;,=&$!*\'"<>[]{}|^`~',
    '/?',
    '/a?',
    '/a?b?c',
    '/?x=../../y&z=%2e%2e%2f',
    '/?http://other/../..',
    '/a.b/.c/d./..e/f../...',
    '/.well-known/x',
    '/...',
    '/.../....',
    '/%2e%2e%2e',
    '/a%20b',
    '/%zz%',
    '/%25%32%65%25%32%65/x',
    '/..%252f',
    '/a\\b',
    '/a..;/b',
    '/...;/a',
    '/;../a',
    '/%2',
    '/caf\u00e9\u00ff\u0080',
    '/a%2f.b',
    '/@vite/client',
  ])('%s leaves byte for byte', (path) => {
    expect(outboundPath(path, 'GET')).toBe(path);
  });
});

describe('dot segments', () => {
  // RFC 3986 5.2.4 and 5.4: references against http://a/b/c/d;p?q, merged as 5.2.3 does.
  it.each([
    ['/a/b/c/./../../g', '/a/g'],
    ['/mid/content=5/../6', '/mid/6'],
    ['/b/c/.', '/b/c/'],
    ['/b/c/./', '/b/c/'],
    ['/b/c/..', '/b/'],
    ['/b/c/../', '/b/'],
    ['/b/c/../g', '/b/g'],
    ['/b/c/../..', '/'],
    ['/b/c/../../', '/'],
    ['/b/c/../../g', '/g'],
    ['/b/c/../../../g', '/g'],
    ['/b/c/../../../../g', '/g'],
    ['/./g', '/g'],
    ['/../g', '/g'],
    ['/b/c/g.', '/b/c/g.'],
    ['/b/c/.g', '/b/c/.g'],
    ['/b/c/g..', '/b/c/g..'],
    ['/b/c/..g', '/b/c/..g'],
    ['/b/c/./../g', '/b/g'],
    ['/b/c/./g/.', '/b/c/g/'],
    ['/b/c/g/./h', '/b/c/g/h'],
    ['/b/c/g/../h', '/b/c/h'],
    ['/b/c/g;x=1/./y', '/b/c/g;x=1/y'],
    ['/b/c/g;x=1/../y', '/b/c/y'],
    ['/b/c/g?y/./x', '/b/c/g?y/./x'],
    ['/b/c/g?y/../x', '/b/c/g?y/../x'],
    ['/a//../b', '/a/b'],
    ['/a/..//b', '//b'],
    ['/a/../?x=..', '/?x=..'],
    ['/a/./%2F/../%62', '/a/%62'],
  ])('are resolved as RFC 3986 5.2.4 does: %s -> %s', (path, resolved) => {
    expect(outboundPath(path, 'GET')).toBe(resolved);
  });

  // Every way that fifteen years of traversal lists know of to write a step up, in front of another tenant's path.
  const UP = ['..', '%2e%2e', '%2E%2E', '.%2e', '.%2E', '%2e.', '%2E.', '%2e%2E', '%2E%2e'];
  const climbs = UP.flatMap((up) => [
    `/${up}/${up}/cl-victim/80/x`,
    `/a/${up}/${up}/${up}/cl-victim/80/x`,
    `/./${up}/%2e/${up}/cl-victim/80/x`,
    `/${up}/./${up}/./cl-victim/80/x`,
  ]);
  it.each(climbs)('never climb above the root of the sandbox: %s', (path) => {
    expect(outboundPath(path, 'GET')).toBe('/cl-victim/80/x');
  });

  const HIDDEN = UP.flatMap((up) => [
    `/${up}%2f${up}%2fcl-victim/80/x`,
    `/a%2F${up}/x`,
    `/${up}%5c${up}%5Ccl-victim`,
    `/${up}\\${up}\\cl-victim`,
    `/a\\${up}`,
    `/${up}\\`,
    `/%2f${up}`,
    `/a%5C${up}?q`,
  ]);
  it.each(HIDDEN)('that hide behind an encoded slash or a backslash are refused: %s', (path) => {
    expect(() => outboundPath(path, 'GET')).toThrow(InvalidPathError);
  });

  // Tomcat and its like cut parameters off a segment before they resolve it
  const WITH_PARAMETER = ['.', '..', '%2e', '%2E%2e', '.%2e'].flatMap((dots) =>
    [';', ';x', ';x=1', '%3b', '%3Bx'].map((parameter) => `${dots}${parameter}`),
  );
  it.each(WITH_PARAMETER)('with a parameter are refused: %s', (segment) => {
    for (const path of [`/${segment}/cl-victim`, `/a/${segment}`, `/a/${segment}?q`])
      expect(() => outboundPath(path, 'GET'), path).toThrow(InvalidPathError);
  });
  it.each(['/a%2f..;x/b', '/a%5C%2e%2e%3bx', '/a\\..;/b'])(
    'with a parameter are not hidden either: %s',
    (path) => {
      expect(() => outboundPath(path, 'GET')).toThrow(InvalidPathError);
    },
  );

  it('are judged as fast as they are read, however many', () => {
    const startedAt = performance.now();
    expect(outboundPath('/a/..'.repeat(200_000), 'GET')).toBe('/');
    expect(outboundPath(`/${'%2e'.repeat(200_000)}`, 'GET')).toHaveLength(600_001);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('a target that is no path', () => {
  it.each(['', '*', 'a', 'a/b', '..', '?x', 'http://localhost/', 'localhost:80', '\\a', ' /', '%2f', '@x'])(
    '%j is refused',
    (target) => {
      expect(() => outboundPath(target, 'GET')).toThrow(InvalidPathError);
    },
  );

  it.each(['/#', '/a#b', '/a?b#c', '/..#/', '/a/%2e%2e#/../b'])('has no fragment: %s', (target) => {
    expect(() => outboundPath(target, 'GET')).toThrow(InvalidPathError);
  });

  it('is "/*" for the server as a whole, which only OPTIONS can ask', () => {
    expect(outboundPath('*', 'OPTIONS')).toBe('/*');
    expect(() => outboundPath('*', 'GET')).toThrow(InvalidPathError);
    expect(() => outboundPath('**', 'OPTIONS')).toThrow(InvalidPathError);
  });
});

/** False where the target is refused. */
function isTaken(target: string): boolean {
  try {
    outboundPath(target, 'GET');
    return true;
  } catch (error) {
    if (error instanceof InvalidPathError) return false;
    throw error;
  }
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] as string;
}

function queryOf(target: string): string {
  return target.slice(pathOf(target).length);
}

describe('whatever bytes a target is made of', () => {
  const piece = fc.constantFrom(
    '.',
    '..',
    '%2e',
    '%2E',
    '/',
    '//',
    '%2f',
    '%5c',
    '\\',
    'a',
    '%',
    '2e',
    '?',
    '\u00ff',
    ';',
  );
  const bytes = fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((n) => String.fromCharCode(n)) });
  const target = fc
    .oneof(
      fc.array(piece, { maxLength: 14 }).map((all) => all.join('')),
      bytes,
    )
    .map((s) => `/${s}`);

  it('what leaves starts with "/" and holds no step up, read in any way', () => {
    fc.assert(
      fc.property(target.filter(isTaken), (from) => {
        const left = outboundPath(from, 'GET');
        expect(left.startsWith('/')).toBe(true);
        const path = pathOf(left).replace(/%2e/gi, '.');
        expect(path.split('/').filter((segment) => segment === '.' || segment === '..')).toEqual([]);
        expect(path.split(/\/|\\|%2f|%5c/i)).not.toContain('..');
      }),
      { numRuns: 5_000 },
    );
  });

  it('the query leaves byte for byte', () => {
    fc.assert(
      fc.property(target.filter(isTaken), (from) => {
        expect(queryOf(outboundPath(from, 'GET'))).toBe(queryOf(from));
      }),
      { numRuns: 2_000 },
    );
  });

  it('a path without dots leaves byte for byte', () => {
    const dotless = target.filter((from) => !/\.|%2e/i.test(pathOf(from)) && !from.includes('#'));
    fc.assert(
      fc.property(dotless, (from) => {
        expect(outboundPath(from, 'GET')).toBe(from);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is resolved once and for all: a second time changes nothing', () => {
    fc.assert(
      fc.property(target.filter(isTaken), (from) => {
        const left = outboundPath(from, 'GET');
        expect(outboundPath(left, 'GET')).toBe(left);
      }),
      { numRuns: 2_000 },
    );
  });
});
