import { describe, expect, it } from 'vitest';
import { LocalAgent } from '../src/demo/local-agent/local-agent.js';
import { AgentAndRawApp } from './kit/apps/agent-and-raw-app.js';
import { RawConnection } from './kit/raw-connection.js';
import { settled } from './kit/wait.js';

const rig = new AgentAndRawApp();

const upgrade = (path = '/ws') =>
  `GET ${rig.prefix}${path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`;

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

  it('that the app refuses are answered as it answers, and the connection ends', async () => {
    const { peer, inside } = await rig.begin(upgrade());
    inside.send('HTTP/1.1 401 No\r\nX-Why: no\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n');
    const { bytes } = await peer.rest();
    expect(bytes).toMatch(/^HTTP\/1\.1 401 No\r\nX-Why: no\r\n/);
    expect(bytes).toContain('\r\nConnection: close\r\n');
    expect(bytes).toMatch(/\r\n\r\n3\r\nno!\r\n0\r\n\r\n$/);
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
    const second = new LocalAgent({ deniedPorts: () => [] });
    const { port } = await second.start();
    const peer = await RawConnection.open(port);
    peer.send(upgrade());
    const inside = await rig.accept();
    await inside.head();
    inside.send(`${switching}\r\n`);
    await peer.head();
    await second.stop();
    await expect(peer.rest()).resolves.toMatchObject({ bytes: '' });
    await expect(inside.rest()).resolves.toMatchObject({ bytes: '' });
  });
});
