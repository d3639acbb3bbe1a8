import { describe, expect } from 'vitest';
import { CHROMIUM, HAS_NO_CHROMIUM } from '../../kit/browser/chromium.js';
import { isAbsent, PYTHON } from '../../kit/installed.js';
import { type Outcome, run, type Target, test } from './stage.js';

const UPLOAD = 'u'.repeat(3_000_000);

function curl(
  { host, port, key }: Target,
  path: string,
  args: readonly string[],
  input?: string,
): Promise<Outcome> {
  const resolved = ['--resolve', `${host}:${port}:127.0.0.1`];
  const credential = key === '' ? [] : ['-H', `X-API-Key: ${key}`];
  const url = `http://${host}:${port}${path}`;
  return run(
    'curl',
    ['-sS', '--max-time', '60', '--path-as-is', ...resolved, ...credential, ...args, url],
    input,
  );
}

describe.skipIf(isAbsent('curl', 'curl', '--version'))('curl', () => {
  const rows: [name: string, path: string, args: string[], want: string | RegExp][] = [
    ['GET keeps the path', '/a%2Fb?x=1', [], /"path":"\/a%2Fb\?x=1"/],
    ['HEAD', '/x', ['-I'], /^HTTP\/1\.1 200/],
    ['HTTP/1.0', '/small', ['-0'], 'small'],
    ['--compressed', '/gzip', ['--compressed'], 'zipped '.repeat(1_000)],
    ['5 MB down', '/big', ['-w', '%{size_download}', '-o', '/dev/null'], '5000000'],
    ['event stream', '/events', ['-N'], 'data: 0\n\ndata: 1\n\ndata: 2\n\n'],
    [
      '--path-as-is climbs nowhere',
      '/../../cl-0000000000000000000000001/80/x',
      [],
      /"path":"\/cl-0000000000000000000000001\/80\/x"/,
    ],
    ['--http2 (h2c offer)', '/small', ['--http2'], 'small'],
    ['upload with a length and Expect', '/up', ['-X', 'POST', '--data-binary', '@-'], /"length":3000000/],
    ['chunked upload', '/up', ['-T', '-'], /"length":3000000/],
    [
      'chunked DELETE',
      '/up',
      ['-X', 'DELETE', '-H', 'Transfer-Encoding: chunked', '--data-binary', '@-'],
      /"length":3000000/,
    ],
  ];
  for (const [name, path, args, want] of rows)
    test(name, async ({ target }) => {
      const { code, out } = await curl(target, path, args, path === '/up' ? UPLOAD : '');
      if (typeof want === 'string') expect(out).toBe(want);
      else expect(out).toMatch(want);
      expect(code).toBe(0);
    });

  test('keep-alive', async ({ target }) => {
    const second = `http://${target.host}:${target.port}/small`;
    expect((await curl(target, '/small', ['-w', '%{num_connects} ', second])).out).toBe('small1 small0 ');
  });

  test('no key is 401', async ({ target }) => {
    expect((await curl({ ...target, key: '' }, '/', ['-w', ' %{http_code}'])).out).toMatch(/ 401$/);
  });
});

describe.skipIf(isAbsent('wrk', 'sh', '-c', 'command -v wrk'))('wrk', () => {
  test('every answer is a 200, and no socket fails', async ({ target: { host, port, key } }) => {
    const headers = ['-H', `Host: ${host}`, '-H', `X-API-Key: ${key}`];
    const { code, out } = await run('wrk', [
      '-t1',
      '-c32',
      '-d2s',
      ...headers,
      `http://127.0.0.1:${port}/small`,
    ]);
    expect(code, out).toBe(0);
    expect(out).not.toMatch(/Non-2xx|Socket errors/);
    expect(Number(/(\d+) requests in/.exec(out)?.[1])).toBeGreaterThan(100);
  });
});

const HTTP_CLIENT = `
import http.client, json, sys
host, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
c = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
h = {'Host': host, 'X-API-Key': key}
for i in range(50):
    c.request('GET', '/small', headers=h); assert c.getresponse().read() == b'small'
c.request('POST', '/up', body=iter([b'abc', b'def' * 1000]), headers=h, encode_chunked=True)
r = json.loads(c.getresponse().read()); assert r['length'] == 3003, r
c.request('DELETE', '/up', body=b'xyz', headers=h)
r = json.loads(c.getresponse().read()); assert (r['method'], r['body']) == ('DELETE', 'xyz'), r
c.request('HEAD', '/big', headers=h)
r = c.getresponse(); assert r.read() == b'' and r.status == 200
c.request('GET', '/big', headers=h); assert len(c.getresponse().read()) == 5000000
c.putrequest('GET', '/h', skip_host=True, skip_accept_encoding=True)
for n, v in [('Host', host), ('X-API-Key', key), ('X-D', '1'), ('X-D', '2'), ('X-Utf', 'za\\u017c'.encode())]: c.putheader(n, v)
c.endheaders()
r = json.loads(c.getresponse().read()); assert [v for n, v in zip(r['headers'][::2], r['headers'][1::2]) if n == 'X-D'] == ['1', '2'], r
c.request('GET', '/trailers', headers=h); assert c.getresponse().read() == b'with trailers'
print('fine')
`;
const WEBSOCKETS = `
import asyncio, sys, websockets
host, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
async def main():
    uri = 'ws://%s:%d/ws' % (host, port)
    headers = 'additional_headers' if int(websockets.__version__.split('.')[0]) >= 14 else 'extra_headers'
    async with websockets.connect(uri, host='127.0.0.1', max_size=None, **{headers: {'X-API-Key': key}}) as ws:
        for m in ['hello', 'za\\u017c' * 1000, b'\\x00\\xff' * 70000, '']:
            await ws.send(m); assert await ws.recv() == m
        await (await ws.ping())
        await ws.send('close 4001')
        try: await ws.recv()
        except websockets.ConnectionClosed as e: assert e.rcvd.code == 4001, e
asyncio.run(main()); print('fine')
`;

for (const [module, debianPackage, script] of [
  ['http.client', 'python3', HTTP_CLIENT],
  ['websockets', 'python3-websockets', WEBSOCKETS],
] as const)
  describe.skipIf(isAbsent(debianPackage, PYTHON, '-c', `import ${module}`))(`python3 ${module}`, () => {
    test('its script', async ({ target }) => {
      const { out, errors } = await run(PYTHON, ['-c', script, target.host, String(target.port), target.key]);
      expect(out.trim(), errors).toBe('fine');
    });
  });

describe.skipIf(HAS_NO_CHROMIUM)('chromium', () => {
  test('a navigation without a key shows our page', async ({ target }) => {
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    const url = `http://${target.host}:${target.port}/`;
    const rules = '--host-resolver-rules=MAP * 127.0.0.1';
    const page = await run(CHROMIUM, [...flags, rules, '--dump-dom', url]);
    expect(page.out).toContain('<html');
    expect(page.out).toContain('401');
  });
});
