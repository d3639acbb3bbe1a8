import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { LocalAgent } from '../../../src/demo/local-agent/local-agent.js';
import { caller } from '../api-client.js';
import { type StartedApp, startApp } from '../app.js';
import type { LinkOptions } from '../browser-stage.js';
import { PlatformRows, type SandboxRow, type TeamRow } from '../platform-rows.js';
import { launchChromium } from './chromium.js';
import { DOMAIN, OTHER_SITE, TlsFront } from './tls-front.js';

const AGENT_TOKEN = 'an-agent-token-of-the-test';

/** A sandbox and the team that it is of. */
export interface OwnedSandbox extends SandboxRow {
  readonly team: TeamRow;
}

export interface ChromiumStageOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly isPlain?: boolean;
}

/**
 * A real browser, HTTPS in front of the real application, and the real local agent: every sandbox on it has the ports of
 * this machine. Nothing between the page and the app is a stand-in, and no two tests share a cookie.
 */
export class ChromiumStage {
  readonly front = new TlsFront();
  app!: StartedApp;
  rows!: PlatformRows;
  /** UUID of the host at which the agent listens. */
  hostId!: string;
  private readonly isPlain: boolean;
  private browser!: Browser;
  private readonly agent = new LocalAgent({ token: AGENT_TOKEN, deniedPorts: () => [] });
  private readonly contexts: BrowserContext[] = [];

  /** @param options `isPlain`: as on a person's own machine, by `http://localhost` and without anything in front */
  constructor({ env = {}, isPlain = false }: ChromiumStageOptions = {}) {
    this.isPlain = isPlain;
    beforeAll(async () => {
      await this.front.start();
      const names = isPlain ? {} : { PUBLIC_URL: this.origin, SANDBOX_DOMAINS: DOMAIN };
      this.app = await startApp({ env: { AGENT_TOKEN, ...names, ...env } });
      this.front.route(DOMAIN, this.app.port);
      this.rows = new PlatformRows(this.app.db);
      this.hostId = await this.rows.host(`127.0.0.1:${(await this.agent.start()).port}`);
      this.browser = await launchChromium();
    });
    afterEach(async () => {
      for (const context of this.contexts.splice(0)) await context.close();
    });
    afterAll(async () => {
      await this.browser?.close();
      await this.agent.stop();
      await this.app?.close();
      await this.front.stop();
    });
  }

  /** Of the control plane. */
  get origin(): string {
    return this.isPlain ? `http://localhost:${this.app.port}` : `https://${DOMAIN}:${this.front.port}`;
  }

  get otherSite(): string {
    return `https://${OTHER_SITE}:${this.front.port}`;
  }

  /** Of a port of a sandbox. */
  originOf(sandbox: SandboxRow, port: number): string {
    return this.origin.replace('//', `//${port}-${sandbox.id}.`);
  }

  /** A running sandbox of a team of its own. */
  async sandbox(status = 'running'): Promise<OwnedSandbox> {
    const team = await this.rows.team();
    const sandbox = await this.rows.sandbox(team.id, this.hostId, status);
    this.agent.run(sandbox.id);
    return { ...sandbox, team };
  }

  async link(
    sandbox: OwnedSandbox,
    options: LinkOptions & { label?: string },
  ): Promise<{ id: string; url: string }> {
    const body = await this.call(sandbox, 'POST', '/links', 201, options);
    return body as unknown as { id: string; url: string };
  }

  async revoke(sandbox: OwnedSandbox, linkId: string): Promise<void> {
    await this.call(sandbox, 'DELETE', `/links/${linkId}`, 204);
  }

  async putPort(sandbox: OwnedSandbox, port: number, settings: object): Promise<void> {
    await this.call(sandbox, 'PUT', `/ports/${port}`, 200, settings);
  }

  /** A person's browser, new: without cookies, closed after the test. */
  async person(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(10_000);
    this.contexts.push(context);
    return context;
  }

  /** A page that has come into a sandbox by a new link. */
  async opened(sandbox: OwnedSandbox, options: LinkOptions, person?: BrowserContext): Promise<Page> {
    const page = await (person ?? (await this.person())).newPage();
    await page.goto((await this.link(sandbox, options)).url);
    return page;
  }

  private async call(
    { id, team }: OwnedSandbox,
    method: string,
    path: string,
    expected: number,
    sent?: object,
  ): Promise<unknown> {
    const call = caller(this.app.url, { 'x-api-key': team.key });
    const { status, body } = await call(method, `/v1/sandboxes/${id}${path}`, sent);
    if (status !== expected) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }
}
