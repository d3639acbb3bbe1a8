import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { A, B, OK, PoolAndAgent } from '../../../test/kit/pool-and-agent.js';
import { startRawServer } from '../../../test/kit/raw-server.js';
import { HostUnavailableError, SandboxBusyError } from '../errors.js';

const stage = new PoolAndAgent();
const { call, exchange } = stage;

describe('a connection to an agent', () => {
  it('serves one request after another', async () => {
    const connection = await exchange();
    await exchange(connection);
    expect(stage.pool.sizeOf(A)).toBe(1);
  });

  it('is never shared between sandboxes, although the agent is the same (CVE-2026-48931)', async () => {
    const ofA = await exchange();
    const ofB = await exchange(undefined, { sandboxId: B });
    await exchange(ofA);
    await exchange(ofB, { sandboxId: B });
    expect([stage.pool.sizeOf(A), stage.pool.sizeOf(B)]).toEqual([1, 1]);
  });

  it('that speaks while idle is destroyed: what it says answers nobody (CVE-2026-48931)', async () => {
    const connection = await exchange();
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    await connection.rest();
    expect(stage.pool.sizeOf(A)).toBe(0);
    await exchange();
  });

  it('whose response has bytes behind it is destroyed with them', async () => {
    const told = call();
    const connection = await stage.agent.accept();
    await connection.head();
    connection.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    expect(await told.done).toBe('200 ok end');
    await connection.rest();
    expect(stage.pool.sizeOf(A)).toBe(0);
  });

  it('is not used again where the agent says so, or where the response says nothing of its length', async () => {
    for (const answer of [
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
      'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ]) {
      const told = call();
      const connection = await stage.agent.accept();
      await connection.head();
      connection.send(answer);
      expect(await told.done).toBe('200 ok end');
      await connection.rest();
      expect(stage.pool.sizeOf(A)).toBe(0);
    }
  });

  it('is let go once it has lain idle for its time', async () => {
    stage.start({ idleTimeoutMs: 1_000 });
    const before = performance.now();
    stage.pool.tick(before);
    const connection = await exchange();
    stage.pool.tick(before + 999);
    expect(stage.pool.sizeOf(A)).toBe(1);
    stage.pool.tick(performance.now() + 1_001);
    expect(stage.pool.sizeOf(A)).toBe(0);
    await connection.rest();
  });

  // an agent that closes an idle connection after 1 s: POST and DELETE were answered 502
  it('is let go a second before the agent says that it closes it', async () => {
    const told = call();
    const connection = await stage.agent.accept();
    await connection.head();
    connection.send(OK.replace('\r\n', '\r\nKeep-Alive: timeout=5\r\n'));
    await told.done;
    const now = performance.now();
    stage.pool.tick(now + 3_500);
    expect(stage.pool.sizeOf(A)).toBe(1);
    stage.pool.tick(now + 4_001);
    expect(stage.pool.sizeOf(A)).toBe(0);
    await connection.rest();
  });

  it('is not used again that is kept for a second only', async () => {
    const told = call();
    const connection = await stage.agent.accept();
    await connection.head();
    connection.send(OK.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n'));
    await told.done;
    await connection.rest();
    expect(stage.pool.sizeOf(A)).toBe(0);
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK'],
    ['GET', 'HTTP/1.1 304 Not Modified'],
  ])('is not used again after %s %s in chunks: their last may be on its way', async (method, line) => {
    const told = call({ method });
    const connection = await stage.agent.accept();
    await connection.head();
    connection.send(`${line}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    expect(await told.done).toMatch(/ end$/);
    await connection.rest();
    await exchange();
  });

  it('is kept idle only in the number that is allowed', async () => {
    stage.start({ maxIdlePerSandbox: 1 });
    const calls = [call(), call()];
    const connections = [await stage.agent.accept(), await stage.agent.accept()];
    for (const connection of connections) {
      await connection.head();
      connection.send(OK);
    }
    await Promise.all(calls.map((told) => told.done));
    expect(stage.pool.sizeOf(A)).toBe(1);
  });

  it('beyond the most that a sandbox may have is refused, and another sandbox is not concerned', async () => {
    stage.start({ maxConnectionsPerSandbox: 2 });
    const first = call();
    call();
    const connection = await stage.agent.accept();
    await stage.agent.accept();
    expect(() => call({ hasBody: true })).toThrow(SandboxBusyError);
    expect(() => call({ isUpgrade: true })).toThrow(SandboxBusyError);
    call({ sandboxId: B });
    await connection.head();
    connection.send(OK);
    await first.done;
    expect(() => call({ hasBody: true })).not.toThrow();
  });

  it('beyond the most that a sandbox may have is waited for by a request without a body', async () => {
    stage.start({ maxConnectionsPerSandbox: 1 });
    const first = call();
    const connection = await stage.agent.accept();
    const second = call();
    await connection.head();
    connection.send(OK);
    await first.done;
    await connection.head();
    connection.send(OK);
    expect(await second.done).toBe('200 ok end');
  });

  it('is not waited for longer than connecting may take', async () => {
    stage.start({ maxConnectionsPerSandbox: 1, connectTimeoutMs: 5_000, firstByteTimeoutMs: 60_000 });
    call();
    await (await stage.agent.accept()).head();
    const second = call();
    stage.pool.tick(performance.now() + 5_001);
    expect(await second.done).toBe('SandboxBusyError');
  });
});

describe('evicting a sandbox', () => {
  it('closes what is idle, and what is busy after it has served', async () => {
    const idle = await exchange();
    const busyCall = call();
    await idle.head();
    const other = call();
    const second = await stage.agent.accept();
    await second.head();
    second.send(OK);
    await other.done;
    stage.pool.evict(A);
    expect(stage.pool.sizeOf(A)).toBe(0);
    await second.rest();
    idle.send(OK);
    expect(await busyCall.done).toBe('200 ok end');
    await idle.rest();
    await exchange();
  });

  it('happens by itself where its address is another one', async () => {
    const old = await exchange();
    const moved = await startRawServer();
    const told = call({}, `127.0.0.1:${moved.port}`);
    const connection = await moved.accept();
    await connection.head();
    connection.send(OK);
    expect(await told.done).toBe('200 ok end');
    await old.rest();
    await moved.close();
  });
});

describe('an address', () => {
  it.each(['', 'x', '169.254.169.254:80', 'http://[fe80::1]:80', '[::ffff:a9fe:a9fe]:80', '10.0.0.1:5000/x'])(
    '%j is none that an agent may have',
    (address) => {
      expect(() => stage.pool.resolveAddress(address)).toThrow(HostUnavailableError);
      expect(() => stage.pool.resolveAddress(address)).toThrow(HostUnavailableError);
    },
  );

  it("is not this process's own listener: that would be a loop", () => {
    expect(() => stage.pool.resolveAddress('127.0.0.1:8000')).not.toThrow();
    stage.pool.refuseOwnPort(8000);
    expect(() => stage.pool.resolveAddress('127.0.0.1:8000')).toThrow(HostUnavailableError);
  });

  it('by name is judged by what the name resolves to', async () => {
    stage.pool.refuseOwnPort(stage.agent.port);
    expect(await call({}, `localhost:${stage.agent.port}`).done).toBe('HostUnavailableError');
  });
});

describe('shutting down', () => {
  it('closes every connection, busy or idle', async () => {
    const idle = await exchange();
    call({ sandboxId: B });
    const busy = await stage.agent.accept();
    stage.pool.onApplicationShutdown();
    const endings = [(await idle.rest()).ending, (await busy.rest()).ending];
    expect(endings).not.toContain(null);
  });
});
