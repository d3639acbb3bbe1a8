import { expect, it } from 'vitest';
import { createLogger, LOGGER } from '../src/program/logging/logger.js';
import { BrowserStage } from './kit/browser-stage.js';
import { UPGRADE_LINES } from './kit/proxy-stage.js';

let log = '';
const stage = new BrowserStage({
  env: { LOG_LEVEL: 'trace' },
  override: (builder) =>
    builder
      .overrideProvider(LOGGER)
      .useValue(createLogger('trace', { write: (text: string) => void (log += text) })),
});

it('no token and no cookie stands in the log, at its most talkative', async () => {
  const link = await stage.link({ once: true });
  const target = `/?sandbox_link=${link.token}`;
  await stage.open(target);
  const lines = [`Host: ${stage.host()}`, `Origin: http://${stage.host()}`, 'Content-Length: 0'];
  const begun = await stage.ask(stage.bare('POST', target, lines));
  const cookie = begun.header('set-cookie')?.split(';', 1)[0] ?? '';
  await stage.open(target);
  await stage.open(`/?sandbox_link=${link.token}x`, [`Cookie: ${cookie}x`]);
  await stage.ask(
    stage.withCookie(cookie, 'POST', '/', ['Origin: https://evil.example', 'Content-Length: 0']),
  );
  await stage.open(target, [`Cookie: ${cookie}`]);
  const { client } = await stage.socket(stage.withCookie(cookie, 'GET', '/', UPGRADE_LINES));
  await stage.told(() => stage.api('DELETE', `/v1/sandboxes/${stage.sandbox.id}/links/${link.id}`));
  await client.rest();
  const proxied = () => log.split('\n').filter((line) => line.includes('"proxied"')).length;
  await expect.poll(proxied).toBe(7);
  expect(log).toContain('"error":"revoked"');
  expect(log).not.toMatch(/wr[nls]_/);
});
