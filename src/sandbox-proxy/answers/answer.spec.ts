import { describe, expect, it } from 'vitest';
import { Asked } from '../../../test/kit/asked.js';
import { collectNestLog } from '../../../test/kit/collecting-logger.js';
import {
  InvalidPathError,
  SandboxBusyError,
  SandboxNotRunningError,
  SessionEndedError,
  UnauthorizedError,
  UpstreamUnreachableError,
} from '../errors.js';
import { answerAgentError, answerBare, answerFailure, pageHeaders, type Wording } from './answer.js';
import { SCRIPT_SOURCE, STYLE_SOURCE } from './error-page.js';

const ERROR = new SandboxNotRunningError('paused');
const log = collectNestLog();

const PLAIN: Wording = { brand: '', advice: {} };

/** The answer to a request with these headers, as it was written. */
function answerTo(
  headers: Readonly<Record<string, string>>,
  error: unknown = ERROR,
  { method = 'GET', wording = PLAIN }: { method?: string; wording?: Wording } = {},
): Asked {
  const asked = new Asked(headers, method);
  answerFailure(asked.exchange, error, wording);
  return asked;
}

describe("the proxy's own answer", () => {
  it('is JSON with code, message, request id and the fields of the error', () => {
    const { exchange, status, fields, body } = answerTo({});
    expect([exchange.errorCode, exchange.status, status]).toEqual(['sandbox_not_running', 409, 409]);
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
    const { exchange, status, body } = answerTo({}, new TypeError('10.0.0.7 exploded'));
    expect([exchange.errorCode, status]).toEqual(['internal_error', 500]);
    expect(body).not.toMatch(/10\.0\.0\.7|TypeError|at /);
    expect(log.lines).toEqual(['error: proxying id-1 failed: TypeError: 10.0.0.7 exploded']);
  });

  it.each([
    [
      new UpstreamUnreachableError(Object.assign(new Error('to 10.0.0.7'), { code: 'ECONNREFUSED' })),
      'ECONNREFUSED',
    ],
    [new UpstreamUnreachableError(new Error('x', { cause: new RangeError('deeper') })), 'RangeError'],
    [ERROR, null],
  ])('tells the log what failed below it, by name alone: %s', (error, failure) => {
    const { exchange, body } = answerTo({}, error);
    expect(exchange.failure).toBe(failure);
    expect(body).not.toContain('10.0.0.7');
  });

  it('is none where an answer has begun, or the client has left', () => {
    const begun = new Asked({});
    Object.defineProperty(begun.response, 'headersSent', { value: true });
    const left = new Asked({});
    left.request.socket.destroy();
    for (const asked of [begun, left]) {
      answerFailure(asked.exchange, ERROR, PLAIN);
      expect([asked.answers, asked.exchange.errorCode]).toEqual([0, 'client_closed']);
    }
  });

  it('asks for a credential where one is missing', () => {
    const { status, fields } = answerTo({}, new UnauthorizedError('X-API-Key header required'));
    expect([status, fields.get('www-authenticate')]).toEqual([
      401,
      'ApiKey realm="sandbox", header="X-API-Key"',
    ]);
    expect(answerTo({}).fields.has('www-authenticate')).toBe(false);
  });

  it("can be read by the pages that may read the app's", () => {
    const asked = new Asked({ origin: 'https://a.example' });
    asked.exchange.cors = { allowedOrigin: 'https://a.example' };
    answerFailure(asked.exchange, ERROR, PLAIN);
    expect(asked.fields.get('access-control-allow-origin')).toBe('https://a.example');
    expect(answerTo({ origin: 'https://a.example' }).fields.has('access-control-allow-origin')).toBe(false);
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
    expect(answerTo(BROWSER, starting, { method: 'POST' }).body).not.toContain('http-equiv');
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

  it('speaks in the name and in the words of the platform, where it has some', () => {
    const wording = { brand: 'Acme', advice: { sandbox_not_running: 'Press <Start> in Acme.' } };
    const { body } = answerTo(BROWSER, ERROR, { wording });
    for (const text of ['- Acme</title>', '<h1>The sandbox is paused</h1>', 'Press &lt;Start&gt; in Acme.'])
      expect(body).toContain(text);
    expect(answerTo(BROWSER, new SandboxBusyError(), { wording }).body).not.toContain('Press');
  });

  const POLICY = `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; script-src ${SCRIPT_SOURCE}; connect-src 'self'; form-action 'none'`;

  it('lets nothing into the browser but its own style and script, and is in no frame', () => {
    expect(answerTo(BROWSER).fields.get('content-security-policy')).toBe(`${POLICY}; frame-ancestors 'none'`);
  });

  // The frame of a page that shows a sandbox by a link with `embed` stayed empty where the app was down.
  it('may be framed where the sandbox may', () => {
    const asked = new Asked(BROWSER);
    asked.exchange.mayBeFramed = true;
    answerFailure(asked.exchange, ERROR, PLAIN);
    expect(asked.fields.get('content-security-policy')).toBe(POLICY);
    const agents = new Asked(BROWSER);
    agents.exchange.mayBeFramed = true;
    answerAgentError(agents.exchange, 502, 'app_unreachable', PLAIN);
    expect(agents.fields.get('content-security-policy')).toBe(POLICY);
    const ended = answerTo(BROWSER, new SessionEndedError('expired', 'session', true));
    expect(ended.fields.get('content-security-policy')).toBe(POLICY);
  });
});

describe("the page in the place of an agent's own error", () => {
  it('keeps the status and the mark of the agent, and has the request id', () => {
    const asked = new Asked({ accept: 'text/html' });
    answerAgentError(asked.exchange, 502, 'app_unreachable', { brand: 'Acme', advice: {} });
    expect([asked.status, asked.exchange.status]).toEqual([502, 502]);
    expect(Object.fromEntries(asked.fields)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-sandbox-error': 'agent;app_unreachable',
      'x-request-id': 'id-1',
      'cache-control': 'no-store',
    });
    expect(asked.body).toContain('<title>Nothing answers on port 3000 - Acme</title>');
  });
});

describe('an answer that is no error and has no body', () => {
  it.each([
    [303, '0'],
    [204, undefined],
  ])(
    'is kept by no cache, says its length where it may have one, and has the request id: %i',
    (status, length) => {
      const asked = new Asked({});
      answerBare(asked.exchange, status, ['Location', '/']);
      expect([asked.status, asked.exchange.status, asked.body]).toEqual([status, status, '']);
      expect(Object.fromEntries(asked.fields)).toEqual({
        location: '/',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-request-id': 'id-1',
        ...(length === undefined ? {} : { 'content-length': length }),
      });
    },
  );
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
