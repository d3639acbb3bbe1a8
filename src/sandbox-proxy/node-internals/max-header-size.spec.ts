import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { setMaxHeaderSize } from './max-header-size.js';

it('a server takes heads as large as it is told, from the next connection on', async () => {
  const server = createServer((_request, response) => response.end());
  const { connect } = await serve(server);
  const status = async (bytes: number) => {
    const client = await connect();
    client.send(requestHead('GET /', [`X-Large: ${'x'.repeat(bytes)}`]));
    return (await wholeAnswer(client)).status;
  };
  expect(await status(40_000)).toBe(431);
  setMaxHeaderSize(server, 65_536);
  expect(await status(40_000)).toBe(200);
  expect(await status(70_000)).toBe(431);
});
