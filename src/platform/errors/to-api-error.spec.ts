import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { ConflictError } from './request.errors.js';
import { toApiError } from './to-api-error.js';

function failedQuery(code: string): QueryFailedError {
  return new QueryFailedError('SELECT 1', [], Object.assign(new Error('from the driver'), { code }));
}

function systemError(code: string, syscall = 'read'): Error {
  return Object.assign(new Error(code), { code, syscall });
}

function bodyParserError(statusCode: number): Error {
  return Object.assign(new Error('from the parser'), { statusCode, expose: statusCode < 500 });
}

describe('toApiError', () => {
  it.each([new ConflictError('x'), new DirectoryUnavailableError(null)])('leaves %s as it is', (error) => {
    expect(toApiError(error)).toBe(error);
  });

  it.each<[string, unknown, string]>([
    ['a route that is not there', new NotFoundException('Cannot GET /<script>'), 'not_found'],
    ['malformed JSON', new BadRequestException('Unexpected token'), 'invalid_request'],
    ['any other refusal of Nest', new HttpException('x', 418), 'invalid_request'],
    ['a body that is too large', bodyParserError(413), 'payload_too_large'],
    ['an unknown charset', bodyParserError(415), 'invalid_request'],
    ['a parser that fails', bodyParserError(500), 'internal_error'],
    [
      'a refused connection',
      Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
      'directory_unavailable',
    ],
    [
      'refused by all addresses',
      new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })]),
      'directory_unavailable',
    ],
    ['a server that shuts down', failedQuery('57P01'), 'directory_unavailable'],
    ['a statement that took too long', failedQuery('57014'), 'directory_unavailable'],
    ['too many connections', failedQuery('53300'), 'directory_unavailable'],
    [
      'a pool without a free connection',
      new Error('timeout exceeded when trying to connect'),
      'directory_unavailable',
    ],
    ['an answer that does not come', new Error('Query read timeout'), 'directory_unavailable'],
    ['no way to the host', systemError('EHOSTUNREACH'), 'directory_unavailable'],
    ['no way to the network', systemError('ENETUNREACH'), 'directory_unavailable'],
    ['a Unix socket that is not there', systemError('ENOENT', 'connect'), 'directory_unavailable'],
    ['a file that is not there', systemError('ENOENT', 'open'), 'internal_error'],
    ['a password that was changed', failedQuery('28P01'), 'directory_unavailable'],
    ['a database that has been renamed', failedQuery('3D000'), 'directory_unavailable'],
    ['a deadlock', failedQuery('40P01'), 'directory_unavailable'],
    ['a database that takes no connections', failedQuery('55000'), 'directory_unavailable'],
    [
      'a connection that has broken',
      new Error('Client has encountered a connection error and is not queryable'),
      'directory_unavailable',
    ],
    [
      'a connection that has been closed',
      new Error('Client was closed and is not queryable'),
      'directory_unavailable',
    ],
    ['a wrong statement', failedQuery('42601'), 'internal_error'],
    ['a defect', new TypeError('x is not a function'), 'internal_error'],
    ['a thrown string', 'oops', 'internal_error'],
    ['a thrown nothing', undefined, 'internal_error'],
  ])('turns %s into its code', (_name, thrown, code) => {
    expect(toApiError(thrown).code).toBe(code);
  });

  it.each([new NotFoundException('Cannot GET /<script>'), new TypeError('10.0.0.1'), failedQuery('42601')])(
    'says nothing of the inside of %s',
    (thrown) => {
      expect(toApiError(thrown).message).toMatch(/^(route not found|internal error)$/);
    },
  );
});
