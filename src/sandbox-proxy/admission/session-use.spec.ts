import { describe, expect, it } from 'vitest';
import { askedWith, sessionOf } from '../../../test/kit/admission-fakes.js';
import { refusalOfSessionUse } from './session-use.js';

const OWN = '80-cl-x.example.com';
const ALLOWED = 'https://app.example.org';

interface Use {
  readonly method?: string;
  readonly isUpgrade?: boolean;
  readonly isSecure?: boolean;
  readonly origin?: string;
  readonly site?: string;
  readonly dest?: string;
  readonly mode?: string;
  readonly host?: string;
  readonly embed?: boolean;
  readonly allowedOrigin?: string;
}

/** What is said of this use of a session; null: nothing. */
function refusalOf({
  origin,
  site,
  dest,
  mode,
  host = OWN,
  embed = false,
  allowedOrigin,
  ...asked
}: Use): string | null {
  const headers = { host, origin, 'sec-fetch-site': site, 'sec-fetch-dest': dest, 'sec-fetch-mode': mode };
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [name, value],
  );
  const session = { ...sessionOf(1), embed, allowedOrigins: [ALLOWED] };
  return refusalOfSessionUse(session, askedWith(rawHeaders, asked), allowedOrigin ?? null)?.message ?? null;
}

const OTHER_ORIGIN = 'the request comes from a page of another origin';
const NOT_IN_PAGES = 'this link does not allow the sandbox to be used in a page of another origin';

describe('a session may change things', () => {
  it.each<[string, Use]>([
    ['from a page of the sandbox itself', { origin: `http://${OWN}` }],
    ['from a page that came by HTTPS where that ends in front of the proxy', { origin: `https://${OWN}` }],
    ['from its page, whatever the letter case', { origin: `HTTP://${OWN.toUpperCase()}` }],
    ['from its page on the port that was asked', { origin: `http://${OWN}:8000`, host: `${OWN}:8000` }],
    ['from its page where the port is the usual one', { origin: `http://${OWN}`, host: `${OWN}:80` }],
    ['from its page by HTTPS', { origin: `https://${OWN}`, host: `${OWN}:443`, isSecure: true }],
    ['from an origin of its link', { origin: ALLOWED }],
    ['from an origin of the port', { origin: 'https://b.example', allowedOrigin: 'https://b.example' }],
    ['from a page that hides its address from itself', { origin: 'null', site: 'same-origin' }],
    ['from no page', {}],
  ])('%s', (_whence, use) => {
    for (const method of ['POST', 'DELETE', 'PUT', 'PATCH', 'BREW'])
      expect(refusalOf({ method, ...use })).toBeNull();
    expect(refusalOf({ isUpgrade: true, ...use })).toBeNull();
  });
});

describe('a session may neither change things nor open a WebSocket', () => {
  it.each<[string, Use]>([
    ['from a neighbour under the same domain', { origin: 'http://80-cl-y.example.com' }],
    ['from another port of the sandbox', { origin: 'http://81-cl-x.example.com' }],
    ['from its name on another TCP port', { origin: `http://${OWN}:8000` }],
    [
      'from its page by plain HTTP where the client came by HTTPS',
      { origin: `http://${OWN}`, isSecure: true },
    ],
    ['from an origin that only begins like its own', { origin: `http://${OWN}.evil.example` }],
    ['from an origin that only ends like its own', { origin: `http://x@${OWN}` }],
    ['from an origin that begins like an allowed one', { origin: `${ALLOWED}.evil.example` }],
    ['from an allowed origin by plain HTTP', { origin: ALLOWED.replace('https', 'http') }],
    ['from a page without an address', { origin: 'null' }],
    ['from a page without an address on another site', { origin: 'null', site: 'cross-site' }],
    ['from what is no origin', { origin: '' }],
    ['from an app on the device', { origin: `capacitor://${OWN}` }],
  ])('%s', (_whence, use) => {
    expect(refusalOf({ method: 'POST', ...use })).toBe(OTHER_ORIGIN);
    expect(refusalOf({ isUpgrade: true, ...use })).toBe(OTHER_ORIGIN);
  });
});

describe('a session may be read by', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE'])(
    'whoever has it: what a page may see of it, the browser decides (%s)',
    (method) => {
      expect(refusalOf({ method, origin: 'https://b.example', site: 'cross-site', mode: 'cors' })).toBeNull();
    },
  );

  it.each(['same-origin', 'none', undefined])('a page of its own, in whatever form (%s)', (site) => {
    for (const use of [{ dest: 'iframe' }, { dest: 'image', mode: 'no-cors' }])
      expect(refusalOf(site === undefined ? use : { site, ...use })).toBeNull();
  });

  it('somebody who follows a link from another site', () => {
    expect(refusalOf({ site: 'cross-site', dest: 'document', mode: 'navigate' })).toBeNull();
  });
});

describe('a page of another origin', () => {
  it.each(['cross-site', 'same-site'])('that is %s has it in no frame and runs nothing of it', (site) => {
    for (const dest of ['iframe', 'frame', 'embed', 'object', 'fencedframe'])
      expect(refusalOf({ site, dest, mode: 'navigate' })).toBe(NOT_IN_PAGES);
    for (const dest of ['script', 'image', 'style'])
      expect(refusalOf({ site, dest, mode: 'no-cors' })).toBe(NOT_IN_PAGES);
  });

  it('has it where the link says so', () => {
    for (const use of [
      { dest: 'iframe', mode: 'navigate' },
      { dest: 'script', mode: 'no-cors' },
    ])
      expect(refusalOf({ site: 'cross-site', embed: true, ...use })).toBeNull();
  });

  it('changes nothing although it may show it', () => {
    expect(refusalOf({ method: 'POST', origin: 'https://b.example', site: 'cross-site', embed: true })).toBe(
      OTHER_ORIGIN,
    );
  });
});
