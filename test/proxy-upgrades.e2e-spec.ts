import { describe, expect, it } from 'vitest';
import { ProxyStage, SWITCHING, UPGRADE_LINES } from './kit/proxy-stage.js';
import { fieldsOfHead, wholeAnswer } from './kit/answer.js';
import type { RawConnection } from './kit/raw-connection.js';
import { settled } from './kit/wait.js';

const stage = new ProxyStage();
const PIECE = Buffer.alloc(4_000_000, 'x');

/** An open tunnel: both ends of it. */
async function tunnel(): Promise<{ client: RawConnection; upstream: RawConnection }> {
  const { client, upstream } = await stage.begin(stage.knock('upgrade'));
  upstream.send(SWITCHING);
  await client.head();
  return { client, upstream };
}

describe('an upgrade', () => {
  it('asks the agent for the same protocol, with what belongs to it', async () => {
    const { head } = await stage.begin(stage.knock('upgrade', '/socket?x=1'));
    expect(head.split('\r\n')[0]).toBe(`GET ${stage.prefix()}/socket?x=1 HTTP/1.1`);
    for (const line of UPGRADE_LINES)
      expect(fieldsOfHead(head)).toContainEqual([line.split(': ')[0], line.split(': ')[1]]);
  });

  it('carries bytes both ways as they are, text or not', async () => {
    const { client, upstream } = await tunnel();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');
    client.send(bytes);
    expect(await upstream.bytes(256)).toBe(bytes);
    upstream.send(bytes);
    expect(await client.bytes(256)).toBe(bytes);
  });

  it('loses no byte that came with the handshake, and holds it until the 101', async () => {
    const { client, upstream, head } = await stage.begin(`${stage.knock('upgrade')}early `);
    client.send('and more');
    await stage.roundTrip();
    expect([upstream.unread, head.endsWith('\r\n\r\n')]).toEqual(['', true]);
    upstream.send(SWITCHING);
    expect(await upstream.bytes(14)).toBe('early and more');
  });

  it('loses no byte that came with the 101', async () => {
    const { client, upstream } = await stage.begin(stage.knock('upgrade'));
    upstream.send(`${SWITCHING}hello from inside`);
    expect((await wholeAnswer(client)).status).toBe(101);
    expect(await client.bytes(17)).toBe('hello from inside');
  });

  it.each([
    ['a length', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 403, 'no'],
    [
      'chunks',
      'HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      401,
      'no',
    ],
    ['its connection', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nplain', 200, 'plain'],
    ['nothing', 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n', 426, ''],
  ])(
    'that the app answers in another way, framed by %s, gets that answer',
    async (_how, bytes, status, body) => {
      const { client, upstream } = await stage.begin(stage.knock('upgrade'));
      upstream.send(bytes);
      upstream.end();
      expect(await wholeAnswer(client)).toMatchObject({ status, body });
      client.end();
      await client.rest();
    },
  );

  it('that was refused leaves nothing: what the client sent ahead reaches nobody', async () => {
    const smuggled = stage.head('GET', '/admin');
    const { client, upstream } = await stage.begin(stage.knock('upgrade') + smuggled);
    upstream.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    const { bytes } = await (client.end(), client.rest());
    expect(bytes.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(upstream.unread).not.toContain('/admin');
  });

  it.each([
    ['Content-Length: 5', 'hello'],
    ['Transfer-Encoding: chunked', '0\r\n\r\n'],
  ])('with a body (%s) is refused: it would be the next request (CVE-2026-58055)', async (line, body) => {
    const client = await stage.client();
    client.send(stage.knock('upgrade', '/', [line]) + body + stage.head('GET', '/behind'));
    const { bytes, ending } = await client.rest();
    expect(bytes).toMatch(/^HTTP\/1\.1 400 [^]*X-Sandbox-Error: proxy;invalid_request/);
    expect(bytes.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(ending).toBe('fin');
  });

  it('to h2c is ignored, and the request served as a plain one', async () => {
    const lines = [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
    ];
    const { answer, head } = await stage.exchange(
      stage.head('GET', '/', lines),
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(answer).toMatchObject({ status: 200, body: 'ok' });
    expect(head).not.toMatch(/h2c|http2-settings|^upgrade/im);
  });

  it('that nobody asked for is no answer: 101 to a plain request', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send(SWITCHING);
    expect(await client.head()).toContain('X-Sandbox-Error: proxy;upstream_invalid_response');
  });
});

describe('a tunnel', () => {
  it.each(['client', 'upstream'] as const)(
    'passes on the end of the %s, and carries on the other way',
    async (who) => {
      const ends = await tunnel();
      const [ending, other] = who === 'client' ? [ends.client, ends.upstream] : [ends.upstream, ends.client];
      ending.end();
      await expect.poll(() => other.isOver).toBe(true);
      other.send('last words');
      expect(await ending.bytes(10)).toBe('last words');
      other.end();
      await ending.rest();
    },
  );

  it.each(['client', 'upstream'] as const)('is cut on both sides when the %s resets', async (who) => {
    const ends = await tunnel();
    const [cut, other] = who === 'client' ? [ends.client, ends.upstream] : [ends.upstream, ends.client];
    cut.socket.resetAndDestroy();
    expect((await other.rest()).ending).toBe('rst');
  });

  it.each(['client', 'upstream'] as const)(
    'takes bytes of the %s no faster than the other side',
    async (who) => {
      const ends = await tunnel();
      const [fast, slow] = who === 'client' ? [ends.client, ends.upstream] : [ends.upstream, ends.client];
      slow.socket.pause();
      const more = (): void => {
        while (fast.socket.bytesWritten < 400_000_000 && fast.socket.write(PIECE));
      };
      fast.socket.on('drain', more);
      more();
      expect(await settled(() => fast.socket.bytesWritten)).toBeLessThan(100_000_000);
    },
  );
});
