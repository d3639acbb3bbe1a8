import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SandboxProxy } from '../src/sandbox-proxy/index.js';
import { type StartedApp, startApp } from './kit/app.js';

describe('health', () => {
  let started: StartedApp;
  beforeAll(async () => {
    started = await startApp();
  });
  afterAll(() => started.close());

  it('answers 200 on /healthz', async () => {
    const answer = await fetch(`${started.url}/healthz`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok' });
  });

  it('is ready while the database answers and the feed is live', async () => {
    const answer = await fetch(`${started.url}/readyz`);
    expect(await answer.json()).toEqual({
      status: 'ok',
      checks: { database: 'ok', changeFeed: 'ok', lifecycle: 'ok' },
    });
    expect(answer.status).toBe(200);
  });

  it('is not ready once draining', async () => {
    await started.app.get(SandboxProxy).drain();
    const answer = await fetch(`${started.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ checks: { lifecycle: 'draining' } });
  });
});
