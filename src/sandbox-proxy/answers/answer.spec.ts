import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { InvalidPathError, SandboxBusyError, SandboxNotRunningError } from '../errors.js';
import { STYLE_SOURCE } from './error-page.js';
import { answerError, pageHeaders } from './proxy-answer.js';

const ERROR = new SandboxNotRunningError('paused');

/** The answer to a request with these headers: content type and body, as they were written. */
function answerTo(headers: Readonly<Record<string, string>>, error: unknown = ERROR, method = 'GET') {
  const request = new IncomingMessage(new Socket());
  request.method = method;
  Object.assign(request.headers, headers);
  request.complete = true;
  const response = new ServerResponse(request);
  let body = '';
  let head: { status: number; fields: Map<string, string> } = { status: 0, fields: new Map() };
  response.writeHead = ((status: number, flat: string[]) => {
    const pairs = flat.flatMap((name, i) =>
      i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1]] as [string, string]] : [],
    );
    head = { status, fields: new Map(pairs) };
    return response;
  }) as typeof response.writeHead;
  response.end = ((text: string) => ((body = text), response)) as typeof response.end;
  const code = answerError(request, response, error, 'id-1');
  return { code, ...head, body };
}

describe("the proxy's own answer", () => {
  it('is JSON with code, message, request id and the fields of the error', () => {
    const { code, status, fields, body } = answerTo({});
    expect([code, status]).toEqual(['sandbox_not_running', 409]);
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'sandbox_not_running',
        message: 'sandbox is not running (status: paused)',
        requestId: 'id-1',
        status: 'paused',
      },
    });
    expect(Object.fromEntries(fields)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(body.length),
      'x-sandbox-error': 'proxy;sandbox_not_running',
      'x-request-id': 'id-1',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each<[string, Record<string, string>]>([
    [
      'a browser that navigates',
      { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' },
    ],
    ['an old browser', { accept: 'text/html,*/*' }],
    ['who prefers HTML to JSON', { accept: 'text/html, application/json' }],
    ['who navigates and does not say what it takes', { 'sec-fetch-mode': 'navigate' }],
    ['who navigates and takes anything', { accept: '*/*', 'sec-fetch-mode': 'navigate' }],
    ['who navigates and takes any text', { accept: 'image/png, text/*;q=0.5', 'sec-fetch-mode': 'navigate' }],
  ])('is a page for %s', (_who, headers) => {
    const { fields, body } = answerTo(headers);
    expect(fields.get('content-type')).toBe('text/html; charset=utf-8');
    expect(fields.get('vary')).toBe('Accept, Sec-Fetch-Mode');
    expect(Number(fields.get('content-length'))).toBe(Buffer.byteLength(body));
    expect(body).toContain('sandbox_not_running');
  });

  it.each<[string, Record<string, string>]>([
    ['curl', { accept: '*/*' }],
    ['who says nothing', {}],
    ['fetch() in a page', { accept: 'text/html', 'sec-fetch-mode': 'cors' }],
    ['an image in a page', { accept: 'image/*', 'sec-fetch-mode': 'no-cors' }],
    ['an upgrade', { accept: 'text/html', upgrade: 'websocket', 'sec-fetch-mode': 'navigate' }],
    ['who prefers JSON', { accept: 'application/json, text/html' }],
    ['who navigates and takes JSON first', { accept: 'application/json, */*', 'sec-fetch-mode': 'navigate' }],
    ['who navigates and takes no HTML', { accept: 'image/png', 'sec-fetch-mode': 'navigate' }],
    ['a script in a page', { accept: '*/*', 'sec-fetch-mode': 'no-cors' }],
  ])('is JSON for %s', (_who, headers) => {
    expect(answerTo(headers).fields.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('says nothing of an error that nobody foresaw', () => {
    const { code, status, body } = answerTo({}, new TypeError('10.0.0.7 exploded'));
    expect([code, status]).toEqual(['internal_error', 500]);
    expect(body).not.toMatch(/10\.0\.0\.7|TypeError|at /);
  });
});

describe("the proxy's own answer as a page", () => {
  const BROWSER = { accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };

  it('says in which way the sandbox does not run, and what to do', () => {
    expect(answerTo(BROWSER).body).toContain('<h1>The sandbox is paused</h1>');
    expect(answerTo(BROWSER).body).not.toContain('http-equiv');
  });

  it("shows the error's own words, code and request id as the JSON has them", () => {
    const { error } = JSON.parse(answerTo({}).body) as { error: Record<string, string> };
    const page = answerTo(BROWSER).body;
    for (const name of ['message', 'code', 'requestId']) expect(page).toContain(`>${error[name]}<`);
  });

  it('tries again by itself where that helps, and only where the request asked to read', () => {
    const starting = new SandboxNotRunningError('starting');
    expect(answerTo(BROWSER, starting).body).toContain('http-equiv="refresh"');
    expect(answerTo(BROWSER, starting, 'POST').body).not.toContain('http-equiv');
  });

  it('leaves Retry-After as it is', () => {
    expect(answerTo(BROWSER, new SandboxBusyError()).fields.get('retry-after')).toBe('1');
    expect(answerTo(BROWSER).fields.has('retry-after')).toBe(false);
  });

  it.each(['<script>alert(1)</script>', `"><img src=x onerror='alert(1)'>`, '</title></main>'])(
    'holds no markup of an error: %s',
    (text) => {
      for (const error of [new SandboxNotRunningError(text), new InvalidPathError(text)])
        expect(answerTo(BROWSER, error).body).not.toContain(text);
    },
  );

  it('lets nothing into the browser but its own style', () => {
    expect(answerTo(BROWSER).fields.get('content-security-policy')).toBe(
      `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });
});

describe('the headers of a page', () => {
  it('are flat, each once, and count bytes', () => {
    const headers = pageHeaders('<p>\u00e9');
    const names = headers.filter((_, i) => i % 2 === 0);
    expect(new Set(names).size).toBe(names.length);
    expect(headers[headers.indexOf('Content-Length') + 1]).toBe('5');
    expect(headers[headers.indexOf('Cache-Control') + 1]).toBe('no-store');
  });
});
