import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROXY_ERROR_STATUS, type ProxyErrorCode } from '../error-status.js';
import { AGENT_ERROR_STATUS } from '../../demo/local-agent/agent-error.js';
import { SANDBOX_STATUSES } from '../../platform/sandboxes/sandbox.entity.js';
import { adviceFor } from './error-advice.js';
import {
  type AgentError,
  agentErrorPage,
  type ErrorPage,
  errorPage,
  escapeHtml,
  SCRIPT_SOURCE,
  STYLE_SOURCE,
} from './error-page.js';

const PAGE: ErrorPage = {
  status: 409,
  code: 'sandbox_not_running',
  message: 'it sleeps',
  requestId: 'id-1',
  advice: { title: 'It sleeps', advice: 'Wake it up.' },
  request: { method: 'GET', url: '/' },
  brand: '',
};
const RETRYING: ErrorPage = { ...PAGE, advice: { ...PAGE.advice, retrySeconds: 5 } };
const AGENT_ERROR: AgentError = {
  code: 'app_unreachable',
  status: 502,
  port: 3000,
  requestId: 'id-1',
  request: PAGE.request,
  brand: '',
};

const HOSTILE = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img onerror=x>',
    "' onload='",
    '</title>',
    '</code>',
    '&lt;',
  ),
);

/** The page of every code, of every status of a sandbox, and of every error of an agent. */
const ALL = [
  ...(Object.keys(PROXY_ERROR_STATUS) as ProxyErrorCode[]).map((code) => pageOf(code, {})),
  ...SANDBOX_STATUSES.map((status) => pageOf('sandbox_not_running', { status })),
  ...[...Object.entries(AGENT_ERROR_STATUS), ['sandbox_not_here', 503] as const].map(([code, status]) =>
    agentErrorPage({ ...AGENT_ERROR, code, status }),
  ),
];

function pageOf(code: ProxyErrorCode, fields: { status?: string }): string {
  return errorPage({ ...PAGE, status: PROXY_ERROR_STATUS[code], code, advice: adviceFor(code, fields) });
}

function refreshOf(url: string): string {
  const page = errorPage({ ...RETRYING, request: { method: 'GET', url } });
  return /http-equiv="refresh" content="([^"]*)">/.exec(page)?.[1] ?? 'none';
}

function tags(html: string): string[] | null {
  return html.match(/<[^>]*>/g);
}

function withoutTarget(tags: string[] | null): string[] | undefined {
  return tags?.map((tag) => tag.replace(/;url=[^"]*|data-error="[^"]*"/, ''));
}

function styleOf(html: string): string {
  return /<style>([^]*)<\/style>/.exec(html)?.[1] ?? '';
}

describe('the error page', () => {
  it('shows what is wrong, what to do, and status, message, code and request id', () => {
    const page = errorPage(PAGE);
    for (const text of [
      '<title>It sleeps</title>',
      '<h1>It sleeps</h1>',
      '<p>Wake it up.</p>',
      '409 Conflict',
      '<dd>it sleeps</dd>',
      '<code>sandbox_not_running</code>',
      '<code>id-1</code>',
    ])
      expect(page).toContain(text);
  });

  it('names the platform where it has a name', () => {
    expect(errorPage({ ...PAGE, brand: 'A&B' })).toContain('<title>It sleeps - A&amp;B</title>');
    expect(agentErrorPage({ ...AGENT_ERROR, brand: 'A&B' })).toContain(
      '<title>Nothing answers on port 3000 - A&amp;B</title>',
    );
  });

  it('says nothing of a message that is not known', () => {
    expect(errorPage({ ...PAGE, message: undefined })).not.toMatch(/Message|undefined/);
  });

  it('asks nobody for anything: no script but its own, no image, no link but to itself', () => {
    for (const page of ALL) {
      const rest = page.replace(/<script data-error="[a-z_;]+">[^<]*<\/script>/, '');
      expect(rest.replaceAll('<a href="">', '')).not.toMatch(
        /<(script|link|img|svg|iframe|form|a)\b|url\(|https?:|@import|\son\w+=|style=/i,
      );
    }
  });

  it('is small, and has one language, one heading and one main part', () => {
    for (const page of ALL) {
      expect(Buffer.byteLength(page)).toBeLessThan(4_096);
      for (const once of ['<html lang="en">', '<h1>', '<main>', '<title>', '<style>'])
        expect(page.split(once)).toHaveLength(2);
    }
  });

  it('has one and the same style, which its Content-Security-Policy lets through by hash', () => {
    for (const page of ALL) {
      const digest = createHash('sha256').update(styleOf(page)).digest('base64');
      expect(STYLE_SOURCE).toBe(`'sha256-${digest}'`);
    }
  });

  it('holds no markup that was not in it, whatever the texts are', () => {
    fc.assert(
      fc.property(fc.array(HOSTILE, { minLength: 7, maxLength: 7 }), (texts) => {
        const [code = '', message = '', requestId = '', title = '', advice = '', query = '', brand = ''] =
          texts;
        const request = { method: 'GET', url: `/?${query}` };
        const page = {
          ...PAGE,
          code,
          message,
          requestId,
          advice: { title, advice, retrySeconds: 5 },
          request,
          brand,
        };
        expect(withoutTarget(tags(errorPage(page)))).toEqual(withoutTarget(tags(errorPage(RETRYING))));
      }),
    );
  });
});

describe('a page that tries again by itself', () => {
  it('does so, where an app is awaited by a script and sooner, says so, and can be told to do it now', () => {
    const page = errorPage(RETRYING);
    expect(page).toContain('<meta http-equiv="refresh" content="5;url=/">');
    expect(page).not.toMatch(/<script|<noscript/);
    expect(page).toContain('tries again by itself');
    expect(page).toContain('<a href="">Try now</a>');
    const app = agentErrorPage(AGENT_ERROR);
    expect(app).toContain('<noscript><meta http-equiv="refresh" content="5;url=/"></noscript>');
    expect(app).toContain('<script data-error="agent;app_unreachable">');
  });

  it('has one and the same script, which its Content-Security-Policy lets through by hash', () => {
    const scripts = ALL.flatMap((page) => /<script[^>]*>([^]*)<\/script>/.exec(page)?.[1] ?? []);
    expect(new Set(scripts).size).toBe(1);
    expect(SCRIPT_SOURCE).toBe(
      `'sha256-${createHash('sha256')
        .update(scripts[0] ?? '')
        .digest('base64')}'`,
    );
  });

  // A HEAD does not open a link, and would be answered otherwise than the page, each time.
  it('loads its address, without a script, where that has the token of a link', () => {
    const page = errorPage({ ...RETRYING, request: { method: 'GET', url: '/?sandbox_link=wrl_1' } });
    expect(page).toContain('<meta http-equiv="refresh" content="5;url=/?sandbox_link=wrl_1">');
    expect(page).not.toMatch(/<script|<noscript/);
  });

  // To itself, a page at `/#/login` only jumps to its own fragment (Chromium), once, and never asks again.
  it('names what was asked for, escaped', () => {
    expect(refreshOf(`/a;b?c=d&e="'<i>`)).toBe('5;url=/a;b?c=d&amp;e=&quot;&#39;&lt;i&gt;');
  });

  // A browser would go to other.test: `\\` is `/` to it, and a tab is nothing.
  it.each([
    '//other.test/',
    '/\\other.test/',
    '/\t/other.test/',
    'http://other.test/',
    'javascript:0',
    '*',
    '',
  ])('names no other host: %j', (url) => {
    expect(refreshOf(url)).toBe('5');
  });

  it('names no address that would make it long', () => {
    expect(refreshOf(`/${'&'.repeat(1_024)}`)).toBe('5');
  });

  it('stays on its host whatever was asked for', () => {
    const path = fc.array(fc.constantFrom('/', '\\', '\t', '\n', '.', '@', ':', '#', 'x'), { maxLength: 12 });
    fc.assert(
      fc.property(path, (parts) => {
        const [, target = ''] = refreshOf(`/${parts.join('')}`).split(';url=');
        expect(new URL(target, 'http://sandbox.test/').host).toBe('sandbox.test');
      }),
    );
  });

  it('is one only where waiting helps', () => {
    expect(errorPage(PAGE)).not.toMatch(/http-equiv|by itself|<a |<script/);
  });

  // A refresh is always a GET: what a form had sent would be lost, and the page of a GET shown as its answer.
  it.each(['POST', 'PUT', 'DELETE'])('is none where the request was a %s', (method) => {
    expect(errorPage({ ...RETRYING, request: { method, url: '/' } })).not.toMatch(/http-equiv|by itself|<a /);
  });

  it('is as long for HEAD as for GET', () => {
    expect(errorPage({ ...RETRYING, request: { method: 'HEAD', url: '/' } })).toBe(errorPage(RETRYING));
  });
});

describe("the page for an agent's own error", () => {
  it('names the port, the code and the request', () => {
    const page = agentErrorPage(AGENT_ERROR);
    for (const text of ['502 Bad Gateway', 'Start your server on port 3000', 'app_unreachable', 'id-1'])
      expect(page).toContain(text);
    expect(page).toContain('http-equiv="refresh"');
  });

  it('holds no markup that was not in it, whatever the code and the request id are', () => {
    const known = tags(agentErrorPage({ ...AGENT_ERROR, code: 'unknown' }));
    fc.assert(
      fc.property(HOSTILE, HOSTILE, (code, requestId) => {
        const page = agentErrorPage({ ...AGENT_ERROR, code, requestId });
        expect(withoutTarget(tags(page))).toEqual(withoutTarget(known));
      }),
    );
  });

  it('has a status line even for a status without a name', () => {
    expect(agentErrorPage({ ...AGENT_ERROR, status: 599 })).toContain('<p class="status">599 </p>');
  });
});

describe('the colours of the page', () => {
  const [light = '', dark = ''] = styleOf(errorPage(PAGE)).split('@media (prefers-color-scheme: dark)');

  it.each([
    ['light', light],
    ['dark', dark],
  ])(
    'are readable where the scheme is %s: text has a contrast of 4.5 (WCAG 2.2, 1.4.3)',
    (_scheme, style) => {
      const ground = colourOf(style, 'ground');
      for (const name of ['text', 'quiet', 'link'])
        expect(contrast(colourOf(style, name), ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it('are measured as WCAG does', () => {
    expect(contrast('#000000', '#ffffff')).toBe(21);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  });

  it('are named ones: no text has another', () => {
    const used = [...styleOf(errorPage(PAGE)).matchAll(/[^-]\bcolor: ([^;]+);/g)].map(([, value]) => value);
    expect(new Set(used)).toEqual(new Set(['var(--ground)', 'var(--text)', 'var(--quiet)', 'var(--link)']));
  });
});

function colourOf(style: string, name: string): string {
  return new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(style)?.[1] ?? 'none';
}

/** The contrast ratio of WCAG 2.2, 1 to 21. */
function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.040_45 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('escapeHtml', () => {
  it('escapes what could end a text or a quoted attribute', () => {
    expect(escapeHtml(`<a href="x" title='y'>&amp;</a>`)).toBe(
      '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;',
    );
  });
});
