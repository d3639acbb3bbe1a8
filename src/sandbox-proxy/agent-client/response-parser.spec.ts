import { describe, expect, it } from 'vitest';
import { ResponseSyntaxError, ResponseTruncatedError } from './response-parser.js';
import { CHUNKED, feed, OK, read, start } from '../../../test/differential/recorded-reading.js';

describe('ResponseParser', () => {
  describe.each([
    ['whole', Number.MAX_SAFE_INTEGER],
    ['byte by byte', 1],
  ])('fed %s', (_, pieceBytes) => {
    it('keeps names, order, duplicates and latin-1 bytes of the headers', () => {
      const text = `HTTP/1.1 207 Multi \xe9\r\nSet-Cookie: a\r\nset-cookie:b\r\nX: \t \r\nY:\xff\xc3\xa9 z \t\r\nContent-Length: 3\r\n\r\nabc`;
      const { head, body, completions, parser } = read(text, { pieceBytes });
      expect(head).toEqual({
        minorVersion: 1,
        status: 207,
        reason: 'Multi \xe9',
        rawHeaders: [
          'Set-Cookie',
          'a',
          'set-cookie',
          'b',
          'X',
          '',
          'Y',
          '\xff\xc3\xa9 z',
          'Content-Length',
          '3',
        ],
        framing: 'length',
        contentLength: 3,
        keepAlive: true,
        keepAliveSeconds: Infinity,
      });
      expect(body).toBe('abc');
      expect(completions).toEqual([[]]);
      expect(parser.isIdle).toBe(true);
    });

    it('joins chunks and hands over trailers', () => {
      const { head, body, completions, parser } = read(
        `${CHUNKED}3;a=b;c="d\\"e";f\r\nabc\r\n000A\r\n0123456789\r\n0\r\nX-A: 1\r\nx-a: 2\r\n\r\n`,
        { pieceBytes },
      );
      expect(head).toMatchObject({ framing: 'chunked', contentLength: -1, keepAlive: true });
      expect(body).toBe('abc0123456789');
      expect(completions).toEqual([['X-A', '1', 'x-a', '2']]);
      expect(parser.isIdle).toBe(true);
    });

    it('reads a body without a length up to the end of the connection', () => {
      const { head, body, completions, parser } = read(`${OK}X: 1\r\n\r\nabc`, { pieceBytes });
      expect(head).toMatchObject({ framing: 'close', keepAlive: false });
      expect(body).toBe('abc');
      expect(completions).toEqual([]);
      parser.finish();
      expect(parser.isIdle).toBe(true);
    });

    it('reports informational responses before the final one', () => {
      const { informational, head } = read(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
        { pieceBytes },
      );
      expect(informational.map(({ status, rawHeaders }) => [status, rawHeaders])).toEqual([
        [100, []],
        [103, ['Link', 'a']],
      ]);
      expect(head?.status).toBe(200);
    });

    it('stops at the end of the 101 that answers an upgrade', () => {
      const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n';
      const { head, parser, consumed, completions } = read(`${text}tunnel`, { isUpgrade: true, pieceBytes });
      expect(head).toMatchObject({ status: 101, framing: 'none' });
      expect(consumed).toBe(text.length);
      expect(parser.isUpgraded).toBe(true);
      expect(parser.execute(Buffer.from('more'))).toBe(0);
      expect(completions).toEqual([]);
    });

    it('stops at the end of a response and refuses what follows it unasked', () => {
      const text = `${OK}Content-Length: 1\r\n\r\na`;
      const { consumed, parser } = read(`${text}HTTP/1.1 200 OK\r\n`, { pieceBytes });
      expect(consumed).toBe(text.length);
      expect(() => parser.execute(Buffer.from('\r'))).toThrow(ResponseSyntaxError);
      expect(() => parser.begin('GET', false)).toThrow('not free');
    });

    it.each([
      ['a version other than 1.0 and 1.1', 'HTTP/2.0 200 OK\r\n\r\n'],
      ['a lower-case protocol name', 'http/1.1 200 OK\r\n\r\n'],
      ['bytes before the status line', `\r\n${OK}\r\n`],
      ['a status below 100', 'HTTP/1.1 099 X\r\n\r\n'],
      ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
      ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
      ['two blanks before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
      ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
      ['a bare LF after the status line', 'HTTP/1.1 200 OK\nX: 1\r\n\r\n'],
      ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
      ['a bare LF after a field', `${OK}X: 1\nY: 2\r\n\r\n`],
      ['a bare LF for the empty line', `${OK}X: 1\r\n\n`],
      ['a bare CR in a value', `${OK}X: 1\r2\r\n\r\n`],
      ['a CR that ends the head without LF', `${OK}X: 1\r\n\rA`],
      ['NUL in a value', `${OK}X: a\0b\r\n\r\n`],
      ['DEL in a value', `${OK}X: a\x7fb\r\n\r\n`],
      ['obs-fold', `${OK}X: a\r\n b\r\n\r\n`],
      ['a blank before the first field', `${OK} X: a\r\n\r\n`],
      ['a blank before the colon', `${OK}X : a\r\n\r\n`],
      ['an empty field name', `${OK}: a\r\n\r\n`],
      ['a field without a colon', `${OK}X\r\n\r\n`],
      ['a name that is not a token', `${OK}X\xe9: a\r\n\r\n`],
      ['two Content-Length', `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
      ['a list of Content-Length', `${OK}Content-Length: 1, 1\r\n\r\na`],
      ['a signed Content-Length', `${OK}Content-Length: +1\r\n\r\na`],
      ['an empty Content-Length', `${OK}Content-Length:\r\n\r\n`],
      ['a Content-Length above 2^53-1', `${OK}Content-Length: 9007199254740992\r\n\r\n`],
      [
        'Transfer-Encoding with Content-Length',
        `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ],
      ['Transfer-Encoding twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
      ['another transfer coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
      ['an empty Transfer-Encoding', `${OK}Transfer-Encoding: \r\n\r\n`],
      ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
      ['101 to a plain request', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
      ['a chunk without a size', `${CHUNKED}\r\n`],
      ['a chunk size that is not hexadecimal', `${CHUNKED}0x1\r\na\r\n`],
      ['a blank after the chunk size', `${CHUNKED}1 \r\na\r\n`],
      ['a chunk size of 2^53', `${CHUNKED}20000000000000\r\n`],
      ['a chunk size padded beyond 16 digits', `${CHUNKED}00000000000000001\r\n`],
      ['a bare LF after the chunk size', `${CHUNKED}1\na\r\n`],
      ['a bare LF in a chunk extension', `${CHUNKED}1;a\nb\r\na\r\n`],
      ['a chunk extension without a name', `${CHUNKED}1;\r\na\r\n`],
      ['a chunk longer than its size', `${CHUNKED}1\r\nab\r\n`],
      ['a bare LF after the chunk', `${CHUNKED}1\r\na\n0\r\n\r\n`],
      ['a CR alone after the chunk', `${CHUNKED}1\r\na\r0\r\n\r\n`],
      ['a control character in a trailer', `${CHUNKED}0\r\nX: \x01\r\n\r\n`],
      ['a folded trailer', `${CHUNKED}0\r\nX: a\r\n b\r\n\r\n`],
    ])('refuses %s', (_, text) => {
      const { parser } = start();
      expect(() => feed(parser, text, pieceBytes)).toThrow(ResponseSyntaxError);
      expect(() => parser.execute(Buffer.from('x'))).toThrow('after a malformed response');
    });
  });

  it.each([
    ['HEAD', `${OK}Content-Length: 5\r\n\r\n`, true],
    // The last chunk of a body that is not there comes all the same from some, and would answer the next request.
    ['HEAD', CHUNKED, false],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', false],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', true],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', true],
  ])('expects no body: %s %j', (method, text, keepAlive) => {
    const { head, completions } = read(text, { method });
    expect(head).toMatchObject({ framing: 'none', contentLength: -1, keepAlive });
    expect(completions).toEqual([[]]);
  });

  it.each([
    ['Keep-Alive: timeout=5', 5],
    ['keep-alive: max=100, timeout = "7"', 7],
    ['Keep-Alive: timeout=0', 0],
    ['Keep-Alive: max=100', Infinity],
    ['Keep-Alive: mytimeout=5', Infinity],
    ['Keep-Alive: timeout=x', Infinity],
    ['X-Keep-Alive: timeout=5', Infinity],
  ])('reads how long the agent keeps the connection: %s', (line, seconds) => {
    expect(read(`${OK}${line}\r\nContent-Length: 0\r\n\r\n`).head?.keepAliveSeconds).toBe(seconds);
  });

  it('checks the length of a response that has no body as well', () => {
    expect(() => read(`${OK}Content-Length: x\r\n\r\n`, { method: 'HEAD' })).toThrow(ResponseSyntaxError);
  });

  it('accepts a status line without reason, with or without the blank before it', () => {
    expect(read('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n').head?.reason).toBe('');
    expect(read('HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n').head).toMatchObject({
      status: 999,
      reason: '',
    });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nCONNECTION: x\r\nconnection: close\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', false],
    [`HTTP/1.1 103 X\r\n\r\n${OK}Content-Length: 0\r\n\r\n`, true],
    [`HTTP/1.1 103 X\r\nConnection: close\r\n\r\n${OK}Content-Length: 0\r\n\r\n`, false],
    [`HTTP/1.1 103 X\r\nContent-Length: 1\r\n\r\n${OK}Content-Length: 0\r\n\r\n`, false],
    [`HTTP/1.0 103 X\r\n\r\n${OK}Content-Length: 0\r\n\r\n`, false],
  ])('%j: keepAlive %s', (text, keepAlive) => {
    expect(read(text).head?.keepAlive).toBe(keepAlive);
  });

  it.each([
    ['before the first byte', ''],
    ['inside the head', 'HTTP/1.1 200 OK\r\nX: '],
    ['after an informational response', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['inside a body of known length', `${OK}Content-Length: 2\r\n\r\na`],
    ['inside a chunk', `${CHUNKED}5\r\nab`],
    ['before the last chunk', `${CHUNKED}1\r\na\r\n`],
    ['inside the trailers', `${CHUNKED}0\r\nX: a\r\n`],
  ])('reports an end %s as truncated', (_, text) => {
    const { parser } = read(text);
    expect(() => parser.finish()).toThrow(ResponseTruncatedError);
  });

  it('takes the end of an idle connection for granted', () => {
    const { parser } = read(`${OK}Content-Length: 0\r\n\r\n`);
    expect(() => parser.finish()).not.toThrow();
  });

  it('reads only the given length of a shared buffer', () => {
    const { heard, parser } = start();
    const text = `${OK}Content-Length: 9\r\n\r\nabc`;
    const shared = Buffer.from(`${text}stale bytes`, 'latin1');
    expect(parser.execute(shared, text.length)).toBe(text.length);
    expect(heard.body).toBe('abc');
  });

  it('lets the next request begin from within onComplete', () => {
    const { heard, parser } = start();
    heard.onComplete = () => parser.begin('GET', false);
    const text = `${OK}Content-Length: 1\r\n\r\na`;
    expect(parser.execute(Buffer.from(text + text))).toBe(text.length);
    expect(parser.isIdle).toBe(false);
    expect(parser.execute(Buffer.from(text))).toBe(text.length);
    expect(heard.heads).toHaveLength(2);
  });
});
