import { expect, missing, type Peer, run, type Target } from './peer.js';

const curl = (target: Target, path: string, ...args: string[]): ReturnType<typeof run> =>
  run('curl', [
    '-sS',
    '--max-time',
    '20',
    '--path-as-is',
    '--resolve',
    `${target.host}:${target.port}:127.0.0.1`,
    '-H',
    `X-API-Key: ${target.key}`,
    ...args,
    `http://${target.host}:${target.port}${path}`,
  ]);

const curlPeer: Peer = {
  name: 'curl',
  absent: () => missing('curl', '--version'),
  checks: async (target) => {
    const upload = 'u'.repeat(3_000_000);
    const sent = async (...args: string[]): Promise<string> =>
      (
        await run(
          'curl',
          [
            '-sS',
            '--max-time',
            '20',
            '--resolve',
            `${target.host}:${target.port}:127.0.0.1`,
            '-H',
            `X-API-Key: ${target.key}`,
            ...args,
            `http://${target.host}:${target.port}/up`,
          ],
          upload,
        )
      ).out;
    const [get, head, old, zipped, big, events, climb, twice, h2c] = await Promise.all([
      curl(target, '/a%2Fb?x=1'),
      curl(target, '/x', '-I'),
      curl(target, '/small', '-0'),
      curl(target, '/gzip', '--compressed'),
      curl(target, '/big', '-w', '%{size_download}', '-o', '/dev/null'),
      curl(target, '/events', '-N'),
      curl(target, '/../../cl-0000000000000000000000001/80/x'),
      curl(target, '/small', '-w', '%{num_connects} ', `http://${target.host}:${target.port}/small`),
      curl(target, '/small', '--http2'),
    ]);
    const none = await run('curl', [
      '-sS',
      '--resolve',
      `${target.host}:${target.port}:127.0.0.1`,
      `http://${target.host}:${target.port}/`,
      '-w',
      ' %{http_code}',
    ]);
    return [
      ['GET keeps the path', expect(get.out.includes('"path":"/a%2Fb?x=1"'), get.out)],
      ['HEAD', expect(head.out.startsWith('HTTP/1.1 200'), head.out)],
      ['HTTP/1.0', expect(old.out === 'small', old.out)],
      ['--compressed', expect(old.code === 0 && zipped.out === 'zipped '.repeat(1_000), zipped.out)],
      ['5 MB down', expect(big.out === '5000000', big.out)],
      ['event stream', expect(events.out === 'data: 0\n\ndata: 1\n\ndata: 2\n\n', events.out)],
      [
        '--path-as-is climbs nowhere',
        expect(climb.out.includes('"path":"/cl-0000000000000000000000001/80/x"'), climb.out),
      ],
      ['keep-alive', expect(twice.out === 'small1 small0 ', twice.out)],
      ['--http2 (h2c offer)', expect(h2c.out === 'small', h2c.out + h2c.errors)],
      [
        'upload with a length and Expect',
        expect(
          (await sent('-X', 'POST', '--data-binary', '@-')).includes('"length":3000000'),
          'another length',
        ),
      ],
      ['chunked upload', expect((await sent('-T', '-')).includes('"length":3000000'), 'another length')],
      [
        'chunked DELETE',
        expect(
          (await sent('-X', 'DELETE', '-H', 'Transfer-Encoding: chunked', '--data-binary', '@-')).includes(
            '"length":3000000',
          ),
          'another length',
        ),
      ],
      ['no key is 401', expect(none.out.endsWith(' 401'), none.out)],
    ];
  },
};

const wrkPeer: Peer = {
  name: 'wrk',
  absent: () => missing('wrk', '--version'),
  checks: async (target) => {
    const load = await run('wrk', [
      '-t1',
      '-c32',
      '-d2s',
      '-H',
      `Host: ${target.host}`,
      '-H',
      `X-API-Key: ${target.key}`,
      `http://127.0.0.1:${target.port}/small`,
    ]);
    return [
      [
        'every answer is a 200',
        expect(load.code === 0 && !load.out.includes('Non-2xx'), load.out + load.errors),
      ],
      ['no socket error', expect(!load.out.includes('Socket errors'), load.out)],
      ['requests were made', expect(Number(/(\d+) requests in/.exec(load.out)?.[1] ?? 0) > 100, load.out)],
    ];
  },
};

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
    async with websockets.connect(uri, additional_headers={'X-API-Key': key}, host='127.0.0.1', max_size=None) as ws:
        for m in ['hello', 'za\\u017c' * 1000, b'\\x00\\xff' * 70000, '']:
            await ws.send(m); assert await ws.recv() == m
        await (await ws.ping())
        await ws.send('close 4001')
        try: await ws.recv()
        except websockets.ConnectionClosed as e: assert e.rcvd.code == 4001, e
asyncio.run(main()); print('fine')
`;

function python(name: string, module: string, script: string): Peer {
  return {
    name,
    absent: async () =>
      (await run('python3', ['-c', `import ${module}`])).code === 0
        ? null
        : `python3 with ${module} is not installed`,
    checks: async (target) => {
      const done = await run('python3', ['-c', script, target.host, String(target.port), target.key]);
      return [['its script', expect(done.out.trim() === 'fine', done.out + done.errors.slice(-300))]];
    },
  };
}

const chromiumPeer: Peer = {
  name: 'chromium',
  absent: () => missing('/usr/bin/chromium', '--version'),
  checks: async (target) => {
    const page = await run('/usr/bin/chromium', [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--host-resolver-rules=MAP * 127.0.0.1',
      '--dump-dom',
      `http://${target.host}:${target.port}/`,
    ]);
    return [
      [
        'a navigation without a key shows our page',
        expect(page.out.includes('<html') && page.out.includes('401'), page.out + page.errors.slice(-200)),
      ],
    ];
  },
};

export const commandLinePeers: readonly Peer[] = [
  curlPeer,
  wrkPeer,
  python('python3 http.client', 'http.client', HTTP_CLIENT),
  python('python3 websockets', 'websockets', WEBSOCKETS),
  chromiumPeer,
];
