// What responses are made of: usual and odd spellings of each part.

// prettier-ignore
export const METHODS = [
  'GET', 'GET', 'GET', 'GET', 'POST', 'HEAD', 'HEAD', 'DELETE',
];
// prettier-ignore
export const STATUSES = [
  200, 200, 200, 200, 200, 201, 206, 301, 404, 500, 204, 304, 100, 101, 103, 199, 205, 600, 999,
];
// prettier-ignore
export const ODD_STATUS_LINES = [
  'HTTP/1.1 99 X', 'HTTP/1.1 099 X', 'HTTP/1.1 000 X', 'HTTP/1.1 2000 OK', 'HTTP/1.1 2xx OK',
  'HTTP/1.1 200OK', 'HTTP/1.1  200 OK', 'HTTP/1.1\t200 OK', 'HTTP/1.1 200\tOK', ' HTTP/1.1 200 OK',
  'http/1.1 200 OK', 'HTTP/0.9 200 OK', 'HTTP/1.2 200 OK', 'HTTP/2.0 200 OK', 'HTTP/2 200 OK',
  'HTTP/1.10 200 OK', 'HTTP/11 200 OK', 'HTTP 200 OK', 'ICY 200 OK', 'RTSP/1.0 200 OK', 'HTTP/1.1',
  'HTTP/1.1 ', 'GET / HTTP/1.1', '\r\nHTTP/1.1 200 OK', '\nHTTP/1.1 200 OK', 'HTTP/1.1 200 O\0K',
  'HTTP/1.1 200 O\x7fK', 'HTTP/1.1 200 O\tK', 'HTTP/1.1 200 O\rK', 'HTTP/1.1 200 OK\r', 'HTTP/1.1 -20 OK',
  'HTTP/1.1 +200 OK',
];
// prettier-ignore
export const REASONS = [
  ' OK', ' OK', ' OK', ' Not Found', ' ', '', ' \xe9\xff', '  two  blanks ', ' a:b',
];
// prettier-ignore
export const NAMES = [
  'Content-Type', 'Set-Cookie', 'set-cookie', 'X-A', 'x-b', 'Server', 'ETag', 'Vary', 'Location', 'Trailer',
  'Date', "!#$%&'*+.^_`|~", 'X', 'Content-Lengthy', 'Keep-Alive', '__proto__',
];
// prettier-ignore
export const ODD_NAMES = [
  '', 'X Y', 'X ', ' X', '\tX', 'X\t', 'X\xe9', 'X\0', 'X(', 'X\x7f', 'X/', '"X"', 'X@', 'X;',
  'Content-Length ', 'Transfer-Encoding\t', ' Content-Length', 'X\rY', 'X\nY',
];
// prettier-ignore
export const VALUES = [
  'a', 'text/html; charset=utf-8', '', ' ', 'a b\tc', '\xc3\xa9\xff\x80', '"quoted, ;"', 'a,b', 'a: b',
  ' \t a \t ', '\ta', '0', 'close',
];
// prettier-ignore
export const ODD_VALUES = [
  '\0', 'a\0b', 'a\x01', 'a\x7fb', 'a\rb', 'a\nb', 'a\r\n b', 'a\r\n\tb', '\r\n a', 'a\x0bb', 'a\x0c',
  '\x1b[0m', 'a\r', 'a\r\r',
];
// prettier-ignore
export const CONNECTIONS = [
  'close', 'Close', 'keep-alive', 'upgrade', 'Upgrade', 'x, close', 'close, x', 'x,,close', ',close',
  'close,', 'closed', 'x close', 'close x', 'keep-alive, close', 'close;q=1', '', 'clos', 'c lose',
  'close\t,x', '"close"', 'keep-alive, upgrade', 'upgrade, close', 'closeclose', 'xclose', 'close-x',
];
// prettier-ignore
export const LENGTHS = [
  '+5', '-5', '5,5', '5, 5', '5 5', '0x5', '5a', 'a', '', ' ', '5;', '05', '00000000000000000005',
  '9007199254740991', '9007199254740992', '18446744073709551615', '18446744073709551616',
  '99999999999999999999999', '5.0', '5e0', '\x005', '5\x0b', '1_0', '5\xa0', '5\t', '\t5',
];
// prettier-ignore
export const ENCODINGS = [
  'chunked', 'Chunked', 'CHUNKED', 'identity', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked',
  'chunked,', ',chunked', 'chunked;q=1', 'xchunked', 'chunkedx', 'chun ked', '"chunked"', '', 'chunked\x0b',
  '\x00chunked', 'chunked\t', 'identity, chunked', 'trailers', 'deflate', 'chunked x', 'x chunked',
];
// prettier-ignore
export const EXTENSIONS = [
  ';a', ';a=b', ';a=b;c', ';a="b"', ';a="b\\"c"', ';a="b;c d"', ';', ';;', ';a=', ';=b', ';a="', ';a="b',
  ';a="b"c', ';a="\\', ' ;a', '; a', ';a =b', ';a= b', ';a b', ' ', '\t', ';a\x01', ';a=\x7f', ';a="\x01"',
  ';a="\xe9"', ';\xe9', ';a=\xe9', ';a="\x7f"', ';a="\t"', ';a="\\\x01"', ';a="\\\t"', ';a="\\\xe9"',
  ';a\n', ';a\r', ';a=b=c', ';a=""', ';a="\0"', ';a,b', ';a="x";b="y"', ';a="\\\x7f"',
];
// prettier-ignore
export const SIZES = [
  '0x1', '-1', '+1', '', ' 1', '1 ', 'g', '1g', '00000000000000000001', '0000000000000001',
  '1fffffffffffff', '20000000000000', 'ffffffffffffffff', '10000000000000000', 'fffffffffffffffffff', '1.',
  '1_0', '1,', '\x001', '000', '00',
];
// prettier-ignore
export const ENDS = [
  '\r\n', '\n', '\r', '\r\r\n', '\n\r', '\n\n', '', ' \r\n', '\r\n\r\n', '\0\r\n', '\r\0\n',
];
// prettier-ignore
export const BYTES = [
  '\r', '\n', '\r\n', '\r\n\r\n', ' ', '\t', ':', ',', ';', '=', '"', '0', '5', 'a', '\0', '\x7f', '\xff',
  '\x80', '-', '\x0b', '\\', 'HTTP/1.1 200 OK\r\n', 'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n', '0\r\n\r\n',
];
// prettier-ignore
export const BODIES = [
  '', 'a', 'hello', '\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '\0\xff\x80', '{"a":1}\n',
  'x'.repeat(40),
];
