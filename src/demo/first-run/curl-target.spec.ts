import { describe, expect, it } from 'vitest';
import { curlTarget, ownUrl } from './curl-target.js';

const template = (domain: string) => `http://{port}-cl-0000000000000000000000001.${domain}`;

describe('curlTarget', () => {
  it.each(['127.0.0.1', '::1', '0.0.0.0', '::', 'localhost'])(
    'is the URL below localhost when listening on %s',
    (HOST) => {
      expect(curlTarget({ HOST }, 'http://127.0.0.1:8000', template('localhost:8000'), 3000)).toBe(
        'http://3000-cl-0000000000000000000000001.localhost:8000/',
      );
    },
  );

  it('is a Host header where localhost does not lead to the address listened on', () => {
    expect(curlTarget({ HOST: '192.0.2.1' }, 'http://192.0.2.1:8000', template('localhost:8000'), 3000)).toBe(
      "-H 'Host: 3000-cl-0000000000000000000000001.localhost' http://192.0.2.1:8000/",
    );
  });

  it('is a Host header for a domain that nobody promised leads here', () => {
    expect(curlTarget({ HOST: '0.0.0.0' }, 'http://127.0.0.1:8000', template('example.com:8000'), 80)).toBe(
      "-H 'Host: 80-cl-0000000000000000000000001.example.com' http://127.0.0.1:8000/",
    );
  });

  it('is the public URL where there is one', () => {
    const PUBLIC_URL = 'http://example.com';
    expect(
      curlTarget({ HOST: '0.0.0.0', PUBLIC_URL }, 'http://127.0.0.1:8000', template('example.com'), 80),
    ).toBe('http://80-cl-0000000000000000000000001.example.com/');
  });
});

describe('ownUrl', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:8000'],
    ['0.0.0.0', 'http://127.0.0.1:8000'],
    ['::', 'http://[::1]:8000'],
    ['control.example.com', 'http://control.example.com:8000'],
  ])('of %s is %s', (host, url) => {
    expect(ownUrl(host, 8000)).toBe(url);
  });
});
