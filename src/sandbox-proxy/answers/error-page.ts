import { createHash } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { agentAdvice, type ErrorAdvice } from './error-advice.js';

/** The method and target of the request: they decide whether, and where, the page tries again. */
export type AskedFor = Pick<IncomingMessage, 'method' | 'url'>;

/** What an error page shows; every text is escaped here. */
export interface ErrorPage {
  readonly status: number;
  readonly code: string;
  /** Who says so, as in `X-Sandbox-Error`; absent: the proxy. */
  readonly by?: 'proxy' | 'agent';
  /** The error's message, as in the JSON; undefined where it is not known. */
  readonly message: string | undefined;
  readonly requestId: string;
  readonly advice: ErrorAdvice;
  readonly request: AskedFor;
  /** What the platform is called; `''`: nothing. */
  readonly brand: string;
}

/** An error that the host agent itself answered. */
export interface AgentError {
  /** E.g. `app_unreachable`. */
  readonly code: string;
  readonly status: number;
  readonly port: number;
  readonly requestId: string;
  readonly request: AskedFor;
  readonly brand: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text and background have a contrast of at least 4.5 everywhere (WCAG 2.2, 1.4.3); the spec computes it. */
const STYLE = `
:root { --ground: #fcfcfb; --text: #1c2024; --quiet: #5a636c; --link: #0b5bd3; --line: #d9dde1;
  color-scheme: light dark; font: 100%/1.55 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --text: #e9ebee; --quiet: #a1aab3; --link: #8fb9ff; --line: #333a41; }
}
body { margin: 0; background: var(--ground); color: var(--text); }
main { max-width: 36rem; margin: 0 auto; padding: min(16vh, 8rem) 1.25rem 2rem; overflow-wrap: anywhere; }
h1 { margin: .25rem 0 1rem; font-size: 1.625rem; line-height: 1.25; text-wrap: balance; }
p { margin: 0 0 1rem; }
.status, dt, dd { color: var(--quiet); font-size: .875rem; }
.status { margin: 0; }
a { color: var(--link); }
a:focus-visible, button:focus-visible { outline: 2px solid; outline-offset: 3px; border-radius: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 2rem 0 0;
  padding-top: 1rem; border-top: 1px solid var(--line); }
dd { margin: 0; }
button { padding: .625rem 1.25rem; border: 0; border-radius: .375rem; background: var(--link);
  color: var(--ground); font: inherit; font-weight: 600; cursor: pointer; }
code { font: 1em ui-monospace, monospace; }
`;

/**
 * Asks, by HEAD, whether the answer is still this page's error, and loads the page anew where it is not: so the app is there
 * as soon as it listens, and is not asked for a whole page in vain. After half a second at first, then after a thirtieth of
 * the time gone by, up to 5 s; not while the tab is hidden. Once a minute the page is loaded in any case.
 */
const SCRIPT = `
{
  const mark = document.currentScript.dataset.error;
  const loaded = performance.now();
  // a page that is loaded again and again because HEAD and GET are answered differently does so once a second at most
  let since = loaded - (performance.getEntriesByType('navigation')[0]?.type === 'reload' ? 3e4 : 0);
  let timer;
  const wait = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, Math.min(5e3, Math.max(500, (performance.now() - since) / 30)));
  };
  const ask = async () => {
    let now = mark;
    try {
      const options = { method: 'HEAD', cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(1e4) };
      now = (await fetch(location.href, options)).headers.get('x-sandbox-error');
    } catch {}
    if (now !== mark || performance.now() - loaded > 6e4) location.reload();
    else wait();
  };
  document.addEventListener('visibilitychange', () => {
    since = performance.now();
    wait();
  });
  wait();
}
`;

const CONFIRM_TITLE = 'You have been sent a link to a sandbox';

/** What lets the page's style, and no other, through its Content-Security-Policy: a source of `style-src`. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** The same for the script of pages that try again: a source of `script-src`. */
export const SCRIPT_SOURCE = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`;

/** A path on this host, of at most 1,024 characters; not `//other.host`, nor what browsers read as that. */
const RETRY_TARGET = /^\/(?![/\\])[\x21-\x7e]{0,1023}$/;

/** Text for HTML: safe between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** A small self-contained page, light or dark: it requests nothing but itself. */
export function errorPage(page: ErrorPage): string {
  const { status, code, by = 'proxy', message, requestId, advice, request, brand } = page;
  const retrySeconds = isRead(request) ? advice.retrySeconds : undefined;
  const main = `<p class="status">${escapeHtml(`${status} ${STATUS_CODES[status] ?? ''}`)}</p>
<h1>${escapeHtml(advice.title)}</h1>
<p>${escapeHtml(advice.advice)}</p>
${retrySeconds === undefined ? '' : RETRY_LINE}<dl>
${message === undefined ? '' : detail('Message', escapeHtml(message))}${detail('Code', codeText(code))}${detail('Request id', codeText(requestId))}</dl>
`;
  if (retrySeconds === undefined) return pageOf(advice.title, brand, main);
  // A link is opened by loading its address, which a HEAD does not do; and only an app is there from one moment to the next.
  if (by === 'proxy' || request.url?.includes('sandbox_link') === true)
    return pageOf(advice.title, brand, main, refresh(retrySeconds, request));
  const script = `<script data-error="${by};${escapeHtml(code)}">${SCRIPT}</script>\n`;
  const head = `<noscript>${refresh(retrySeconds, request).trimEnd()}</noscript>\n`;
  return pageOf(advice.title, brand, main + script, head);
}

/**
 * The page that a link for one browser shows first. It has one button, which sends a POST to the same address. It needs no
 * script, and programs that open links for a user (previews, prerendering) do not press the button.
 *
 * @param brand what the platform is called; `''`: nothing
 */
export function confirmationPage(brand: string): string {
  const main = `<h1>${CONFIRM_TITLE}</h1>
<p>This link works once, in one browser. Open the sandbox here to use it up.</p>
<form method="post"><button>Open the sandbox</button></form>
`;
  return pageOf(CONFIRM_TITLE, brand, main);
}

/** @param main HTML, like `head`; title and brand are text */
export function pageOf(title: string, brand: string, main: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${head}<title>${escapeHtml(brand === '' ? title : `${title} - ${brand}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${main}</main>
</body>
</html>
`;
}

/** The page that answers a navigation in place of the agent's own error. */
export function agentErrorPage({ code, status, port, requestId, request, brand }: AgentError): string {
  const advice = agentAdvice(code, status, port);
  return errorPage({ status, code, by: 'agent', message: undefined, requestId, advice, request, brand });
}

/** True for requests that may be repeated with GET, as the page does when it tries again. */
function isRead({ method }: AskedFor): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Names the address, without a fragment: in Chromium (156) a refresh of `/#a` without an address is only a jump within the
 * page, and sends no request.
 */
function refresh(seconds: number, { url = '' }: AskedFor): string {
  const target = RETRY_TARGET.test(url) ? `;url=${escapeHtml(url)}` : '';
  return `<meta http-equiv="refresh" content="${seconds}${target}">\n`;
}

const RETRY_LINE = '<p>This page tries again by itself. <a href="">Try now</a></p>\n';

function detail(name: string, html: string): string {
  return `<dt>${name}</dt><dd>${html}</dd>\n`;
}

function codeText(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}
