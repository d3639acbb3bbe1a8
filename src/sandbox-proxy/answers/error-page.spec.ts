import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorPage, escapeHtml } from './error-page.js';

const PAGE = {
  status: 409,
  reason: 'Conflict',
  code: 'sandbox_not_running',
  message: 'it sleeps',
  requestId: 'id-1',
};

function tags(html: string): string[] | null {
  return html.match(/<[^>]*>/g);
}

describe('the error page', () => {
  it('shows status, message, code and request id', () => {
    const page = errorPage(PAGE);
    for (const text of ['<title>409 Conflict</title>', 'it sleeps', 'sandbox_not_running', 'request id-1'])
      expect(page).toContain(text);
  });

  it('asks nobody for anything: no script, no link, no image', () => {
    expect(errorPage(PAGE)).not.toMatch(/<(script|link|img|iframe|form|a)\b|url\(|https?:|@import/i);
  });

  it('holds no markup that was not in it, whatever the texts are', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom('<script>', '"><img onerror=x>', "' onload='", '</code>', '&lt;'),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (reason, code, message, requestId) => {
        expect(tags(errorPage({ status: 500, reason, code, message, requestId }))).toEqual(
          tags(errorPage(PAGE)),
        );
      }),
    );
  });
});

describe('escapeHtml', () => {
  it('escapes what could end a text or a quoted attribute', () => {
    expect(escapeHtml(`<a href="x" title='y'>&amp;</a>`)).toBe(
      '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;',
    );
  });
});
