import { LINK_PARAMETER } from '../address/link-parameter.js';
import type { SandboxAddress } from '../address/sandbox-address.js';

/** Between the parts of a way: it is in no token. */
const BETWEEN = ',';
/** A port, and the token that is exchanged there; without a token the way ends at it. */
const HOP = /^([1-9]\d{0,4})(?:\.([\w.~-]+))?$/;
/** Longer than the way of any link; the parameter can be made up. */
const MAX_HOPS = 16;

/** What the parameter of a link holds. */
export interface LinkWay {
  /** To be exchanged here. */
  readonly token: string;
  /** Where to go from here: `{port}.{token}` for each further port, then the port at which the way ends. */
  readonly hops: readonly string[];
}

/** `wrl_a` -> that token and no hops; `wre_b,4000.wre_c,3000` -> the token for here, then port 4000, back to 3000. */
export function readWay(parameter: string): LinkWay {
  const [token = '', ...hops] = parameter.split(BETWEEN);
  return { token, hops: hops.slice(0, MAX_HOPS).filter((hop) => HOP.test(hop)) };
}

/** The way from a link's first port to the others and back. */
export function hopsOver(others: readonly { port: number; token: string }[], firstPort: number): string[] {
  return others.length === 0 ? [] : [...others.map(({ port, token }) => `${port}.${token}`), `${firstPort}`];
}

/**
 * The next address of a way. It is always one of the same sandbox, whatever the hops say.
 *
 * @param path at which the way ends, on the first port
 * @returns null where it ends here
 */
export function nextOnWay(
  hops: readonly string[],
  path: string,
  address: SandboxAddress,
  scheme: 'http' | 'https',
): string | null {
  const [, digits, token] = HOP.exec(hops[0] ?? '') ?? [];
  if (digits === undefined || Number(digits) > 65_535) return null;
  const next = address.originAt(Number(digits), scheme) + path;
  if (token === undefined) return next;
  const parameter = `${LINK_PARAMETER}=${[token, ...hops.slice(1)].join(BETWEEN)}`;
  return `${next}${path.includes('?') ? '&' : '?'}${parameter}`;
}
