import { assert, expect } from 'vitest';
import { type Door, DOORS } from '../kit/requests.js';
import { test } from './test.js';
import { type World, checkOwn } from './world.js';

/** `P` stands for the port of a listening agent, `S` for the program's own. */
const REFUSED: [name: string, address: string][] = [
  ['empty', ''],
  ['blank', ' '],
  ['path', '127.0.0.1:P/x'],
  ['url-path', 'http://127.0.0.1:P/proxy'],
  ['query', '127.0.0.1:P?x=1'],
  ['url-query', 'http://127.0.0.1:P?x'],
  ['fragment', '127.0.0.1:P#x'],
  ['userinfo', 'user@127.0.0.1:P'],
  ['url-userinfo', 'http://user:pw@127.0.0.1:P'],
  ['userinfo-trick', 'evil.test@127.0.0.1:P'],
  ['crlf', '127.0.0.1:P\r\nX-Evil: 1'],
  ['lf', '127.0.0.1:P\n'],
  ['nul-like', '127.0.0.1:P\u0001'],
  ['space', '127.0.0.1 :P'],
  ['trailing-space', '127.0.0.1:P '],
  ['leading-space', ' 127.0.0.1:P'],
  ['tab', '127.0.0.1:P\t'],
  ['ftp', 'ftp://127.0.0.1:P'],
  ['file', 'file:///etc/passwd'],
  ['gopher', 'gopher://127.0.0.1:P'],
  ['ws', 'ws://127.0.0.1:P'],
  ['unix', 'unix:/var/run/docker.sock'],
  ['javascript', 'javascript:alert(1)'],
  ['scheme-only', 'http://'],
  ['scheme-relative', '//127.0.0.1:P'],
  ['three-slashes', 'http:///127.0.0.1:P'],
  ['backslash', 'http:\\\\127.0.0.1:P'],
  ['backslash-path', '127.0.0.1:P\\x'],
  ['port-missing', '127.0.0.1'],
  ['port-empty', '127.0.0.1:'],
  ['port-0', '127.0.0.1:0'],
  ['port-65536', '127.0.0.1:65536'],
  ['port-huge', '127.0.0.1:99999999999'],
  ['port-negative', '127.0.0.1:-1'],
  ['port-letters', '127.0.0.1:http'],
  ['port-float', '127.0.0.1:80.5'],
  ['port-hex', '127.0.0.1:0x50'],
  ['port-plus', '127.0.0.1:+P'],
  ['two-ports', '127.0.0.1:P:P'],
  ['only-port', ':P'],
  ['two-hosts', '127.0.0.1:P,127.0.0.1:P'],
  ['percent', '127.0.0.1%2fx:P'],
  ['bracket-open', '[::1:P'],
  ['bracket-junk', '[127.0.0.1]:P'],
  ['zone', '[fe80::1%25lo]:P'],
  ['link-local', '169.254.0.7:P'],
  ['metadata', '169.254.169.254:80'],
  ['metadata-url', 'http://169.254.169.254'],
  ['metadata-v6', '[fd00:ec2::254]:80'],
  ['link-local-v6', '[fe80::1]:P'],
  ['metadata-mapped', '[::ffff:169.254.169.254]:80'],
  ['metadata-mapped-hex', '[::ffff:a9fe:a9fe]:80'],
  ['metadata-compat', '[::169.254.169.254]:80'],
  ['metadata-nat64', '[64:ff9b::169.254.169.254]:80'],
  ['metadata-decimal', '2852039166:80'],
  ['metadata-hex', '0xa9fea9fe:80'],
  ['metadata-octal', '0251.0376.0251.0376:80'],
  ['metadata-short', '169.16689662:80'],
  ['metadata-alibaba', '100.100.100.200:80'],
  ['multicast', '224.0.0.1:80'],
  ['broadcast', '255.255.255.255:80'],
  ['loop', '127.0.0.1:S'],
  ['loop-url', 'http://127.0.0.1:S'],
  ['loop-localhost', 'localhost:S'],
  ['loop-any', '0.0.0.0:S'],
  ['loop-127', '127.1.2.3:S'],
  ['loop-v6', '[::1]:S'],
  ['loop-v6-any', '[::]:S'],
  ['loop-mapped', '[::ffff:127.0.0.1]:S'],
];

async function refusedAddress(world: World, door: Door, template: string): Promise<void> {
  const real = await world.stage();
  const address = template
    .replaceAll('P', String(real.agent.port))
    .replaceAll('S', String(world.program.port));
  const stage = await world.stage(undefined, { agent: real.agent, address });
  const { answer } = await stage.send(stage.knock(door, '/a'));
  checkOwn(answer, 503, 'host_unavailable');
  expect(real.agent.connections.length, 'connections to the listening agent').toEqual(0);
  expect(
    answer.raw.includes(template.slice(0, 12)) && template.length > 11,
    'the address is in the answer',
  ).toEqual(false);
}

for (const [name, address] of REFUSED)
  for (const door of DOORS)
    test(`agent-addresses/${door}/refused-${name} — a host address that is no agent’s address is 503 and no request elsewhere [CWE-918]`, async (world) =>
      refusedAddress(world, door, address));

const GOOD: [name: string, address: string, host: string][] = [
  ['ip-port', '127.0.0.1:P', '127.0.0.1:P'],
  ['name-port', 'localhost:P', 'localhost:P'],
  ['url', 'http://127.0.0.1:P', '127.0.0.1:P'],
  ['url-slash', 'http://127.0.0.1:P/', '127.0.0.1:P'],
  ['url-upper', 'HTTP://127.0.0.1:P', '127.0.0.1:P'],
  ['url-name', 'http://localhost:P', 'localhost:P'],
];

for (const [name, address, host] of GOOD)
  for (const door of DOORS)
    test(`agent-addresses/${door}/good-${name} — ip:port, name:port and a full URL are addresses, and the Host upstream says the same [RFC 3986 3.2]`, async (world) => {
      const real = await world.stage();
      const port = String(real.agent.port);
      const stage = await world.stage(undefined, {
        agent: real.agent,
        address: address.replace(/:P\b/, `:${port}`),
      });
      stage.expectsHost = false;
      const { answer } = await stage.send(stage.knock(door, '/a'));
      expect(answer.status, 'status').toEqual(door === 'HTTP' ? 200 : 101);
      expect((await real.agent.request()).values('host'), 'Host upstream').toEqual([host.replace('P', port)]);
    });

for (const door of DOORS)
  test(`agent-addresses/${door}/link-local-when-allowed — a link-local address that the configuration allows is tried [CWE-918]`, async (base) => {
    const world = await base.on('linklocal');
    const stage = await world.stage(undefined, { address: '169.254.0.7:9' });
    const { answer } = await stage.send(stage.knock(door, '/a'));
    assert(!answer.raw.includes('host_unavailable'), `refused: ${answer.status}`);
  });
