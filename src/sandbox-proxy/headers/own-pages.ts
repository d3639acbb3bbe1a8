import { asOwnLocation, linkIn } from '../address/link-parameter.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import type { AppAddress } from './app-address.js';
import { Field, fieldOf } from './field-names.js';

/**
 * Where the app's `appHost` is `local`, it sees itself, and all other ports of its sandbox, as `http://localhost:{port}`.
 * What would tell it otherwise is translated on its way in, and what it says of itself on its way out.
 */
export interface OwnPages {
  readonly address: SandboxAddress;
  /** True where the client came by HTTPS. */
  readonly isSecure: boolean;
  readonly app: AppAddress;
  /** Foreign origins that the team has named for this port: they stay as they are. */
  readonly namedByPort: readonly string[];
  /** Those that it has named for the link by which the visitor came. */
  readonly namedByLink: readonly string[];
}

/**
 * The `Origin` for the app. A foreign one stays as it is, so that the app's own check goes on protecting it, but one that
 * looks like the app itself is a page on the visitor's own machine, and becomes `null`.
 *
 * @returns null where it is left out: it is the app's own, and what the app takes for its own is not known
 */
export function originForApp(origin: string, pages: OwnPages): string | null {
  const { address, isSecure, app } = pages;
  const port = address.portOfOrigin(origin, isSecure);
  if (port !== null) return app.isKnown ? app.originAt(port) : null;
  return app.parse(origin, address.port) === null || isNamed(origin, pages) ? origin : 'null';
}

const ORIGIN = /^[a-z]+:\/\/[^/?#]*/;

/** The `Referer` for the app, by the same rules; null where it is left out. A link's token never stays in it. */
export function refererForApp(referer: string, pages: OwnPages): string | null {
  const { address, isSecure, app } = pages;
  const origin = ORIGIN.exec(referer)?.[0] ?? '';
  const port = address.portOfOrigin(origin, isSecure);
  if (port !== null)
    return app.isKnown ? app.originAt(port) + withoutLink(referer.slice(origin.length)) : null;
  return app.parse(referer, address.port) === null || isNamed(origin, pages) ? referer : null;
}

/** A page's address, or its path, without the parameter that holds a link's token. */
export function withoutLink(url: string): string {
  return linkIn(url)?.target ?? url;
}

/**
 * The app's `Access-Control-Allow-Origin` for the client. One of the form in which the app sees its own sandbox is
 * translated for the page that it means, and for no other.
 *
 * @param origin of the request
 * @returns the same text where it stays; null where it is left out. If it is another one, the answer varies by `Origin`.
 */
export function allowedOriginForClient(
  allowed: string,
  origin: string | undefined,
  pages: OwnPages,
): string | null {
  const { address, isSecure, app } = pages;
  if (origin === undefined || app.parse(allowed, address.port) === null) return allowed;
  const port = address.portOfOrigin(origin, isSecure);
  if (port !== null && app.originAt(port) === allowed) return origin;
  return origin === allowed && isNamed(origin, pages) ? allowed : null;
}

/** A `Location` for the client: the app's own address, at any of the sandbox's ports, becomes the one from outside. */
export function locationForClient(location: string, { address, isSecure, app }: OwnPages): string {
  const own = app.parse(location, address.port);
  if (own === null) return location;
  const path = own.rest.startsWith('/') ? own.rest : `/${own.rest}`;
  return own.port === address.port
    ? asOwnLocation(path)
    : address.originAt(own.port, isSecure ? 'https' : 'http') + path;
}

/**
 * True for the redirect of an app that wants HTTPS: to the very same path, at its own address.
 *
 * @param target of the request
 */
export function isForcingHttps(
  { status, rawHeaders }: { readonly status: number; readonly rawHeaders: readonly string[] },
  target: string,
  { app }: Pick<OwnPages, 'app'>,
): boolean {
  if (status < 301 || status > 308) return false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (fieldOf(rawHeaders[i] as string) !== Field.Location) continue;
    const rest = app.restOfSecure(rawHeaders[i + 1] as string);
    return rest !== null && pathOf(rest) === pathOf(target);
  }
  return false;
}

function pathOf(target: string): string {
  return /^[^?#]*/.exec(target)?.[0] || '/';
}

function isNamed(origin: string, { namedByPort, namedByLink }: OwnPages): boolean {
  return namedByPort.includes(origin) || namedByLink.includes(origin);
}
