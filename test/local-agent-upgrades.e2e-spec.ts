import { describe, expect, it } from 'vitest';
import { LocalAgent } from '../src/demo/local-agent/local-agent.js';
import { AGENT_TOKEN, AgentAndRawApp, SANDBOX_ID } from './kit/apps/agent-and-raw-app.js';
import { RawConnection } from './kit/raw-connection.js';
import { settled } from './kit/wait.js';

const rig = new AgentAndRawApp();

const upgrade = (path = '/ws') =>
  `${rig.line('GET', path)}Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`;

describe('upgrades', () => {
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

  it('are spliced byte for byte after the 101, head bytes of both sides first', async () => {
    const { peer, inside, head } = await rig.begin(`${upgrade()}client-head`);
    expect(head).toContain('\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    peer.send('+more');
    await rig.begin(rig.get());
    expect(inside.unread).toBe('');
    inside.send(`${switching}X-Sandbox-Error: agent;x\r\nX-Own: 1\r\n\r\napp-head`);
    const answered = await peer.head();
    expect(answered).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(answered).toContain('\r\nX-Own: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    expect(answered).not.toMatch(/x-sandbox/i);
    expect(await peer.bytes(8)).toBe('app-head');
    expect(await inside.bytes(16)).toBe('client-head+more');
    inside.send('\x00\xff');
    expect(await peer.bytes(2)).toBe('\x00\xff');
  });

  it.each([
    ['client', 'peer', 'inside'],
    ['app', 'inside', 'peer'],
  ] as const)('end one direction at a time, the %s first', async (_who, first, second) => {
    const both = await rig.begin(upgrade());
    both.inside.send(`${switching}\r\n`);
    await both.peer.head();
    both[first].send('bye');
    both[first].end();
    expect(await both[second].rest()).toEqual({ bytes: 'bye', ending: 'fin' });
    both[second].send('still here');
    both[second].end();
    expect(await both[first].rest()).toEqual({ bytes: 'still here', ending: 'fin' });
  });

  it('lose nothing to a client that reads late', async () => {
    const { peer, inside } = await rig.begin(upgrade());
    inside.send(`${switching}\r\n`);
    await peer.head();
    peer.socket.pause();
    peer.end();
    inside.send('x'.repeat(20_000_000));
    inside.end();
    await settled(() => inside.socket.bytesWritten);
    peer.socket.resume();
    const { bytes, ending } = await peer.rest();
    expect({ length: bytes.length, ending }).toEqual({ length: 20_000_000, ending: 'fin' });
  });

  it.each(['peer', 'inside'] as const)('end on both sides when the %s breaks', async (who) => {
    const both = await rig.begin(upgrade());
    both.inside.send(`${switching}\r\n`);
    await both.peer.head();
    both[who].socket.resetAndDestroy();
    const other = who === 'peer' ? both.inside : both.peer;
    await expect(other.rest()).resolves.toMatchObject({ bytes: '' });
  });

  it('pass on what the app said last before it hung up on a client that is still sending', async () => {
    for (let round = 0; round < 12; round += 1) {
      const { peer, inside } = await rig.begin(upgrade());
      inside.send(`${switching}\r\n`);
      await peer.head();
      inside.socket.pause();
      peer.send('x'.repeat(2_000_000));
      inside.send('bye');
      inside.socket.write('', () => inside.close());
      expect(await peer.bytes(3)).toBe('bye');
    }
  });

  it('end for a client that goes on sending to an app that has closed', async () => {
    const { peer, inside } = await rig.begin(upgrade());
    inside.send(`${switching}\r\n`);
    await peer.head();
    inside.close();
    expect(await peer.rest()).toEqual({ bytes: '', ending: 'fin' });
    const closed = new Promise((resolve) => peer.socket.once('close', resolve));
    const sending = setInterval(() => peer.send('x'), 10);
    await closed;
    clearInterval(sending);
  });

  it('that the app refuses are answered as it answers, and the connection ends', async () => {
    const { peer, inside } = await rig.begin(upgrade());
    inside.send('HTTP/1.1 401 No\r\nX-Why: no\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n');
    const { bytes } = await peer.rest();
    expect(bytes).toMatch(/^HTTP\/1\.1 401 No\r\nX-Why: no\r\n/);
    expect(bytes).toContain('\r\nConnection: close\r\n');
    expect(bytes).toMatch(/\r\n\r\n3\r\nno!\r\n0\r\n\r\n$/);
  });

  it.each([
    ['with a length', 'HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 3\r\n\r\nno!', '\r\n\r\nno!'],
    [
      'to the end',
      'HTTP/1.1 404 Not Found\r\nX-Why: no\r\nConnection: close\r\n\r\nno!',
      '\r\n\r\n3\r\nno!\r\n0\r\n\r\n',
    ],
    ['by HTTP/1.0', 'HTTP/1.0 400 Bad\r\nX-Why: no\r\n\r\nno!', '\r\n\r\n3\r\nno!\r\n0\r\n\r\n'],
    [
      'and told what to upgrade to',
      'HTTP/1.1 426 Upgrade Required\r\nX-Why: no\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nContent-Length: 3\r\n\r\nno!',
      '\r\n\r\nno!',
    ],
    [
      'and sent elsewhere',
      'HTTP/1.1 302 Found\r\nX-Why: no\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n',
      '\r\n\r\n',
    ],
  ])('that the app refuses %s and hangs up are answered as it answers', async (_how, answer, end) => {
    for (const hangUp of ['end', 'reset'] as const) {
      // where the end of the connection ends the body, a reset leaves it incomplete
      if (hangUp === 'reset' && end.includes('0\r\n')) continue;
      const { peer, inside } = await rig.begin(upgrade());
      inside.send(answer);
      if (hangUp === 'end') inside.end();
      else inside.socket.write('', () => inside.socket.resetAndDestroy());
      const { bytes } = await peer.rest();
      const [, statusLine = ''] = /^HTTP\/1\.\d (.*)\r\n/.exec(answer) ?? [];
      expect(bytes).toContain(`HTTP/1.1 ${statusLine}\r\nX-Why: no\r\n`);
      expect(bytes).not.toMatch(/x-sandbox-error/i);
      expect(bytes.endsWith(end)).toBe(true);
    }
  });

  it('that the app ignores are answered as plain requests, large bodies too', async () => {
    const body = 'x'.repeat(3_000_000);
    const { peer, inside } = await rig.begin(upgrade());
    inside.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await peer.head();
    expect((await peer.rest()).bytes.length).toBe(body.length);
  });

  it("end the app's connection when the client leaves before the 101", async () => {
    for (const leave of ['close', 'end'] as const) {
      const { peer, inside } = await rig.begin(upgrade());
      peer[leave]();
      await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
    }
  });

  it('end when the agent stops', async () => {
    const second = new LocalAgent({ token: AGENT_TOKEN, deniedPorts: () => [] });
    second.run(SANDBOX_ID);
    const { port } = await second.start();
    const peer = await RawConnection.open(port);
    peer.send(upgrade().replace(`:${rig.agentPort}`, `:${port}`));
    const inside = await rig.accept();
    await inside.head();
    inside.send(`${switching}\r\n`);
    await peer.head();
    await second.stop();
    await expect(peer.rest()).resolves.toMatchObject({ bytes: '' });
    await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
  });
});
