import { expect } from 'vitest';
import { utf8 } from '../kit/byte-stream.js';
import { DOORS } from '../kit/requests.js';
import { test } from './test.js';

const EXACT: string[] = [
  '/',
  '//',
  '///',
  '/a//b///c//',
  '/a/',
  '/a%2Fb',
  '/a%2fb%2F',
  '/%40scope/pkg',
  '/@scope/pkg',
  '/(local)/_next/static/chunks/app-%5Bslug%5D.js',
  '/[slug]/{x}/|y|^`',
  "/!$&'()*+,;=:@-._~",
  '/%7Euser/~user',
  '/%61%62c',
  '/%zz%',
  '/%',
  '/a%00b',
  '/a%0d%0aX-Evil:%201',
  '/a%20b+c',
  '/?',
  '/a?',
  '/a??b?c',
  '/a?x=1&x=2&y',
  '/a?x=1;y=2',
  '/a?%61=%62',
  '/a?x=a/b//c/../d',
  '/a?url=http://other.test:1/x',
  '/a?x=%2e%2e%2f',
  '/a?a=%zz&b=1',
  '/a?a[]=1&a[0]=2&__proto__[x]=1',
  '/http://other.test/x',
  '//other.test/x',
  '/:80/x',
  '/proxy/cl-0000000000000000000000001/80/',
  '/v1/teams',
  '/healthz',
  '/a"b<c>d',
  '/a\\b',
  '/a;p=1/b;q',
  `/${utf8('zażółć/日本')}`,
  '/caf\xe9?\xff=\x80',
  `/${'long/'.repeat(1_000)}`,
  '/*',
  '/.well-known/x',
  '/a.b/..c/d..',
  '/-',
  '/%2',
  '/%2f',
  '/%5c',
  '/.hidden',
];

/** Targets that no rule touches: they leave as they came. */
for (const target of EXACT)
  for (const door of DOORS)
    test(`paths/${door}/exact ${target.length > 60 ? `${target.slice(0, 30)}…` : target} — the target goes on byte for byte [daytonaio/daytona#4448; CVE-2022-2880]`, async (world) => {
      const stage = await world.stage();
      const { answer } = await stage.send(stage.knock(door, target));
      const targets = stage.agent.received.map((one) => one.target);
      // Bytes above 0x7f are no part of a URI (RFC 3986 2): Node's parser refuses them before the proxy.
      if (/[\x80-\xff]/.test(target) && answer.status === 400)
        return expect(targets, 'targets upstream').toEqual([]);
      expect(answer.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
      expect(targets, 'target upstream').toEqual([stage.prefix + target]);
    });
