import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SandboxNotRunningError } from '../sandbox-proxy.errors.js';
import { answerError } from './proxy-answer.js';

const ERROR = new SandboxNotRunningError('paused');

/** The answer to a request with these headers: content type and body, as they were written. */
function answerTo(headers: Readonly<Record<string, string>>, error: unknown = ERROR) {
  const request = new IncomingMessage(new Socket());
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
  ])('is JSON for %s', (_who, headers) => {
    expect(answerTo(headers).fields.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('says nothing of an error that nobody foresaw', () => {
    const { code, status, body } = answerTo({}, new TypeError('10.0.0.7 exploded'));
    expect([code, status]).toEqual(['internal_error', 500]);
    expect(body).not.toMatch(/10\.0\.0\.7|TypeError|at /);
  });
});
