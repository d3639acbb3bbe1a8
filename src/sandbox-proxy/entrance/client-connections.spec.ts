import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { protectListener } from './protect-listener.js';

it('a connection above the bound is told so, with the name of its refusal, where all others are in use', async () => {
  const server = createServer();
  protectListener(server, { maxConnections: 1 });
  const { connect } = await serve(server);
  const busy = await connect();
  busy.send(requestHead('GET /'));
  await once(server, 'request');
  const answer = await wholeAnswer(await connect());
  expect([answer.status, answer.header('x-sandbox-error'), answer.header('retry-after')]).toEqual([
    503,
    'proxy;proxy_busy',
    '1',
  ]);
  expect(JSON.parse(answer.body)).toMatchObject({
    error: { code: 'proxy_busy', requestId: answer.header('x-request-id') },
  });
});
