import { describe, expect, it } from 'vitest';
import { SandboxAddress } from '../address/sandbox-address.js';
import { AppAddress } from './app-address.js';
import {
  allowedOriginForClient,
  isForcingHttps,
  locationForClient,
  originForApp,
  type OwnPages,
  refererForApp,
} from './own-pages.js';

const OWN = 'https://3000-cl-x.example.com';
const OTHER_PORT = 'https://4000-cl-x.example.com';
const FOREIGN = 'https://app.example.org';
const NAMED = 'http://localhost:5173';
const NAMED_BY_LINK = 'http://localhost:5174';
const PAGES: OwnPages = {
  address: new SandboxAddress(3000, 'cl-x', '3000-cl-x.example.com', true),
  isSecure: true,
  app: new AppAddress('localhost:{port}'),
  namedByPort: [NAMED],
  namedByLink: [NAMED_BY_LINK],
};
const UNKNOWN: OwnPages = { ...PAGES, app: new AppAddress('') };
const FIXED: OwnPages = { ...PAGES, app: new AppAddress('app.internal:8080') };

describe('the Origin for an app that sees itself as localhost', () => {
  it.each([
    [OWN, 'http://localhost:3000'],
    [OTHER_PORT, 'http://localhost:4000'],
    ['https://80-cl-x.example.com', 'http://localhost'],
    [FOREIGN, FOREIGN],
    ['https://3000-cl-y.example.com', 'https://3000-cl-y.example.com'],
    ['http://3000-cl-x.example.com', 'http://3000-cl-x.example.com'],
    ['null', 'null'],
    [`${OWN}, ${OWN}`, `${OWN}, ${OWN}`],
    ['https://localhost:3000', 'https://localhost:3000'],
    ['http://localhost.evil.org:3000', 'http://localhost.evil.org:3000'],
    ['http://localhost:3000', 'null'],
    ['http://localhost:4000', 'null'],
    ['http://localhost:9', 'null'],
    ['http://localhost', 'null'],
    ['HTTP://LocalHost:3000', 'null'],
    [NAMED, NAMED],
    [NAMED_BY_LINK, NAMED_BY_LINK],
  ])('%s is %s', (origin, seen) => {
    expect(originForApp(origin, PAGES)).toBe(seen);
  });

  it('is left out where it is its own and nobody knows what it takes for that', () => {
    expect(originForApp(OWN, UNKNOWN)).toBeNull();
    expect(originForApp('http://localhost:3000', UNKNOWN)).toBe('http://localhost:3000');
  });

  it('goes by the Host that agents send', () => {
    expect(originForApp(OTHER_PORT, FIXED)).toBe('http://app.internal:8080');
    expect(originForApp('http://app.internal:8080', FIXED)).toBe('null');
    expect(originForApp('http://localhost:3000', FIXED)).toBe('http://localhost:3000');
  });
});

describe('the Referer for such an app', () => {
  it.each([
    [`${OWN}/a?b=1`, 'http://localhost:3000/a?b=1'],
    [OWN, 'http://localhost:3000'],
    [`${OTHER_PORT}/`, 'http://localhost:4000/'],
    [`${OWN}/a?sandbox_link=wrl_x&b=1`, 'http://localhost:3000/a?b=1'],
    [`${OWN}/?sandbox%5flink=wrl_x`, 'http://localhost:3000/'],
    [`${FOREIGN}/x`, `${FOREIGN}/x`],
    [`${OWN}.evil.org/x`, `${OWN}.evil.org/x`],
    [`https://evil.org/${OWN}/`, `https://evil.org/${OWN}/`],
    ['http://localhost:3000/x', null],
    ['http://localhost', null],
    [`${NAMED}/x`, `${NAMED}/x`],
    ['', ''],
  ])('%s is %s', (referer, seen) => {
    expect(refererForApp(referer, PAGES)).toBe(seen);
  });

  it('is left out where nobody knows what the app takes for its own', () => {
    expect(refererForApp(`${OWN}/a`, UNKNOWN)).toBeNull();
  });
});

describe('the Access-Control-Allow-Origin of such an app', () => {
  it.each([
    // it allows the page that asks
    ['http://localhost:4000', OTHER_PORT, OTHER_PORT],
    ['http://localhost:3000', OWN, OWN],
    // it allows another page than the one that asks
    ['http://localhost:5000', OTHER_PORT, null],
    ['http://localhost:4000', FOREIGN, null],
    ['http://localhost:4000', 'https://4000-cl-y.example.com', null],
    // a page on the visitor's own machine is not the app's
    ['http://localhost:4000', 'http://localhost:4000', null],
    [NAMED, NAMED, NAMED],
    [NAMED_BY_LINK, NAMED_BY_LINK, NAMED_BY_LINK],
    // it speaks of others
    ['*', OTHER_PORT, '*'],
    ['null', 'http://localhost:4000', 'null'],
    [FOREIGN, FOREIGN, FOREIGN],
    [OTHER_PORT, OTHER_PORT, OTHER_PORT],
    // nobody asks
    ['http://localhost:4000', undefined, 'http://localhost:4000'],
  ])('%s for a page of %s is %s', (allowed, origin, told) => {
    expect(allowedOriginForClient(allowed, origin, PAGES)).toBe(told);
  });
});

describe('the Location of such an app', () => {
  it.each([
    ['http://localhost:3000/a?b#c', '/a?b#c'],
    ['http://localhost:3000', '/'],
    ['http://localhost:3000?b', '/?b'],
    ['http://LOCALHOST:3000/', '/'],
    ['http://localhost:3000//evil.org/', '/.//evil.org/'],
    ['http://localhost:3000/\\evil.org/', '/./\\evil.org/'],
    ['http://localhost:4000/a', `${OTHER_PORT}/a`],
    ['http://localhost:4000', `${OTHER_PORT}/`],
    ['http://localhost/a', 'https://80-cl-x.example.com/a'],
    ['http://localhost.evil.org:3000/', 'http://localhost.evil.org:3000/'],
    ['http://localhost:3000@evil.org/', 'http://localhost:3000@evil.org/'],
    ['http://localhost:3000.evil.org/', 'http://localhost:3000.evil.org/'],
    ['http://user@localhost:3000/', 'http://user@localhost:3000/'],
    ['https://localhost:3000/a', 'https://localhost:3000/a'],
    ['//localhost:3000/a', '//localhost:3000/a'],
    ['/a', '/a'],
    ['a', 'a'],
    ['', ''],
  ])('%s is %s', (location, told) => {
    expect(locationForClient(location, PAGES)).toBe(told);
  });

  it('is the own port where agents send one Host for all', () => {
    expect(locationForClient('http://app.internal:8080/a', FIXED)).toBe('/a');
  });
});

describe('an app that forces HTTPS', () => {
  const forces = (location: string, target: string, status = 301): boolean =>
    isForcingHttps({ status, rawHeaders: ['X', 'y', 'location', location] }, target, PAGES);

  it.each([
    ['https://localhost:3000/a?b', '/a?b'],
    ['https://localhost/a', '/a'],
    ['https://localhost:3000', '/'],
    ['https://localhost:3000/a', '/a?b'],
  ])('redirects to the same path at its own address: %s of %s', (location, target) => {
    expect(forces(location, target)).toBe(true);
  });

  it.each([
    ['https://localhost:3000/b', '/a', 301],
    ['http://localhost:3000/a', '/a', 301],
    ['https://example.org/a', '/a', 301],
    ['https://localhost.evil.org/a', '/a', 301],
    ['https://localhost:3000/a', '/a', 201],
  ])('is not one that sends elsewhere: %s of %s, %i', (location, target, status) => {
    expect(forces(location, target, status)).toBe(false);
  });
});
