import { createHash } from 'node:crypto';
import { escapeHtml, pageOf } from './error-page.js';

/** Where the page that opens a link of several ports goes. */
export interface OpeningWay {
  /** What it fetches, with credentials: each begins the session at one of the other ports. */
  readonly exchanges: readonly string[];
  /** The path at which the visitor wanted to be. */
  readonly location: string;
}

const TITLE = 'Opening the sandbox';

/** Goes on also where an exchange fails, or takes long: the first port has its session by then. */
const SCRIPT = `
const { exchanges, location: next } = document.querySelector('main a').dataset;
const exchange = (url) => fetch(url, { credentials: 'include', cache: 'no-store', signal: AbortSignal.timeout(5000) });
Promise.allSettled(exchanges.split(' ').map(exchange)).then(() => location.replace(next));
`;

/** What lets the page's script, and no other, through its Content-Security-Policy: a source of `script-src`. */
export const OPENING_SOURCE = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`;

/** Begins the sessions at the other ports of a link, and then shows what the visitor wanted to see. */
export function openingPage(brand: string, { exchanges, location }: OpeningWay): string {
  const next = escapeHtml(location);
  const main = `<h1>${TITLE}</h1>
<p><a href="${next}" data-location="${next}" data-exchanges="${escapeHtml(exchanges.join(' '))}">Go on</a></p>
<script>${SCRIPT}</script>
`;
  return pageOf(TITLE, brand, main);
}
