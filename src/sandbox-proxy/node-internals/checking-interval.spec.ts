import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { serve } from '../../../test/kit/serve.js';
import { setCheckingInterval } from './checking-interval.js';

it('a server that has not begun to listen looks for late heads as often as it is told', async () => {
  const server = createServer({ headersTimeout: 50, requestTimeout: 0 });
  setCheckingInterval(server, 20);
  const client = await (await serve(server)).connect();
  client.send('GET / HTTP/1.1\r\n');
  // Long before the 30 s of Node's own interval, or the wait would fail.
  expect((await client.rest()).bytes).toContain('408 Request Timeout');
});
