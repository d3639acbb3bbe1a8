import { describe, expect, it } from 'vitest';
import { CHUNKED, OK, read } from '../../../test/differential/recorded-reading.js';
import {
  MAX_EXCESS_BYTES,
  MAX_EXTENSION_BYTES,
  MAX_HEAD_BYTES,
  MAX_INFORMATIONAL,
  MAX_TRAILER_BYTES,
} from './response-parser.js';

const headOf = (bytes: number) => {
  const frame = `${OK}Content-Length: 0\r\nX: \r\n\r\n`;
  return frame.replace('X: ', `X: ${'a'.repeat(bytes - frame.length)}`);
};
const trailers = (bytes: number) => `${CHUNKED}0\r\nX: ${'a'.repeat(bytes - 7)}\r\n\r\n`;
const extension = (bytes: number) => `${CHUNKED}1;${'a'.repeat(bytes - 1)}\r\na\r\n0\r\n\r\n`;

/** Chunks of one byte: their size, and 17 bytes of extension, are worth 18 bytes. */
const CHUNK_WITHOUT_EXCESS = `1;${'a'.repeat(16)}\r\na\r\n`;
const chunkWithExcess = (bytes: number) => CHUNK_WITHOUT_EXCESS.replace(';', `;${'b'.repeat(bytes)}`);

describe.each([
  ['whole', Number.MAX_SAFE_INTEGER],
  ['in pieces', 1000],
])('ResponseParser limits, fed %s', (_, pieceBytes) => {
  it('bounds the head, informational heads included', () => {
    const info = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    expect(read(headOf(MAX_HEAD_BYTES), { pieceBytes }).heads).toHaveLength(1);
    expect(() => read(headOf(MAX_HEAD_BYTES + 1), { pieceBytes })).toThrow('too large');
    expect(read(info + headOf(MAX_HEAD_BYTES - info.length), { pieceBytes }).heads).toHaveLength(1);
    expect(() => read(info + headOf(MAX_HEAD_BYTES - info.length + 1), { pieceBytes })).toThrow('too large');
    expect(() => read(headOf(MAX_HEAD_BYTES + 9).slice(0, MAX_HEAD_BYTES + 1), { pieceBytes })).toThrow(
      'too large',
    );
  });

  it('bounds the number of fields', () => {
    const rest = `Content-Length: 0\r\n\r\n`;
    expect(read(OK + 'a:b\r\n'.repeat(999) + rest, { pieceBytes }).head?.rawHeaders).toHaveLength(2000);
    expect(() => read(OK + 'a:b\r\n'.repeat(1000) + rest, { pieceBytes })).toThrow('too many fields');
  });

  it('bounds the number of informational responses', () => {
    const rest = `${OK}Content-Length: 0\r\n\r\n`;
    const info = 'HTTP/1.1 102 Processing\r\n\r\n';
    expect(read(info.repeat(MAX_INFORMATIONAL) + rest, { pieceBytes }).heads).toHaveLength(1);
    expect(() => read(info.repeat(MAX_INFORMATIONAL + 1) + rest, { pieceBytes })).toThrow('interim');
  });

  it('bounds trailers and chunk extensions', () => {
    expect(read(trailers(MAX_TRAILER_BYTES), { pieceBytes }).completions).toHaveLength(1);
    expect(() => read(trailers(MAX_TRAILER_BYTES + 1), { pieceBytes })).toThrow('too large');
    expect(read(extension(MAX_EXTENSION_BYTES), { pieceBytes }).body).toBe('a');
    expect(() => read(extension(MAX_EXTENSION_BYTES + 1), { pieceBytes })).toThrow('too big');
  });

  // CVE-2023-39326: 1 KiB of extension for each byte; other clients waited 5 s
  it('bounds framing beyond what it carries, over all chunks of a response', () => {
    const half = chunkWithExcess(MAX_EXCESS_BYTES / 32);
    const end = '0\r\n\r\n';
    expect(read(CHUNKED + half.repeat(32) + end, { pieceBytes }).body).toHaveLength(32);
    expect(() => read(CHUNKED + half.repeat(32) + chunkWithExcess(1) + end, { pieceBytes })).toThrow(
      'framing',
    );
    expect(read(CHUNKED + CHUNK_WITHOUT_EXCESS.repeat(2_000) + end, { pieceBytes }).body).toHaveLength(2_000);
  });

  it('makes up for framing with data, and counts anew for the next response', () => {
    const half = chunkWithExcess(MAX_EXCESS_BYTES / 32).repeat(32);
    const data = `4000\r\n${'a'.repeat(16_384)}\r\n`;
    const whole = `${CHUNKED}${half}${data}${half}0\r\n\r\n`;
    expect(read(whole, { pieceBytes }).completions).toHaveLength(1);
    const { parser } = read(whole, { pieceBytes });
    parser.begin('GET', false);
    expect(parser.execute(Buffer.from(whole))).toBe(whole.length);
  });
});
