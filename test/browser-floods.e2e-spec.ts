import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeId } from '../src/platform/identifiers/resource-id.js';
import { BrowserStage } from './kit/browser-stage.js';
import type { Answer } from './kit/answer.js';

// Without a credential every made-up sandbox is a question to the database (its port might be public), and so is every
// made-up cookie and token: 50 connections of them made everybody else wait for seconds.

const stage = new BrowserStage();
const KINDS = {
  'sandboxes that do not exist': () => ['/', `Host: 80-${encodeId('cl', randomUUID())}.localhost`],
  'sessions that do not exist': () => [
    '/',
    `Host: ${stage.host()}`,
    `Cookie: sandbox_session=wrs_${encodeId('link', randomUUID()).slice(5)}${'A'.repeat(43)}`,
  ],
  'links that do not exist': () => [
    `/?sandbox_link=wrl_${encodeId('link', randomUUID()).slice(5)}${'A'.repeat(43)}`,
    `Host: ${stage.host()}`,
  ],
} as const;

describe.each(Object.entries(KINDS))('a stranger that asks for %s', (_name, next) => {
  it('is told to wait, and costs a team with its key nothing', async () => {
    const client = await stage.client();
    let refusal: Answer | null = null;
    for (let i = 0; i < 1_200 && refusal === null; i += 1) {
      const [target = '', ...lines] = next();
      client.send(stage.bare('GET', target, lines));
      const answer = await stage.answerOn(client);
      if (answer.status === 429) refusal = answer;
    }
    expect([refusal?.header('x-sandbox-error'), refusal?.header('retry-after')]).toEqual([
      'proxy;too_many_lookups',
      '1',
    ]);
    expect((await stage.exchange(stage.head('GET', '/'))).answer.status).toBe(200);
  });
});
