/** What an error page shows; every text is escaped here. */
export interface ErrorPage {
  readonly status: number;
  readonly reason: string;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML: safe between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** A small self-contained page: no script, no request to anywhere, dark and light. */
export function errorPage(page: ErrorPage): string {
  const title = escapeHtml(`${page.status} ${page.reason}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 15vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; }
code { font-size: .875rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${escapeHtml(page.message)}</p>
<p><code>${escapeHtml(page.code)}</code><br><code>request ${escapeHtml(page.requestId)}</code></p>
</main>
</body>
</html>
`;
}
