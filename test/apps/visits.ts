import { randomBytes } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../kit/browser/chromium.js';
import { picture } from './cache.js';
import type { Recipe, Visit } from './recipe.js';
import type { RunningApp } from './running-app.js';
import type { Stage } from './stage.js';

/** Long enough for a development server that compiles a page when it is asked for. */
const PATIENCE_MS = 45_000;

export const WAYS = ['directly', 'from outside'] as const;
export type Way = (typeof WAYS)[number];

/** The two browsers: one of somebody at the machine, and one for which nothing but the sandbox's names exists. */
export class Visits {
  private readonly browsers = new Map<Way, Browser>();

  constructor(private readonly stage: Stage | null) {}

  async start(): Promise<void> {
    this.browsers.set('directly', await launchChromium('MAP * ~NOTFOUND, EXCLUDE localhost'));
    if (this.stage) this.browsers.set('from outside', await launchChromium(this.stage.resolverRules));
  }

  async stop(): Promise<void> {
    for (const browser of this.browsers.values()) await browser.close();
  }

  /** Uses the application in one way; null, or what did not work. */
  async make(way: Way, recipe: Recipe, app: RunningApp): Promise<string | null> {
    const browser = this.browsers.get(way);
    if (!browser) throw new Error(`there is no browser for ${way}`);
    const context = await browser.newContext({
      viewport: { width: 1_280, height: 900 },
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const seen = watch(context);
    try {
      const page = await context.newPage();
      const visit = way === 'directly' ? this.directly(recipe, app, page) : this.outside(recipe, app, page);
      await recipe.use(await visit);
      return null;
    } catch (error) {
      const [page] = context.pages();
      const name = `${recipe.name}-${way.replace(' ', '-')}`;
      await page?.screenshot({ path: picture(name) }).catch(() => {});
      const message = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
      return [message, ...counted(seen)].join('\n  ');
    } finally {
      await context.close();
    }
  }

  private async directly(recipe: Recipe, app: RunningApp, page: Page): Promise<Visit> {
    const url = `http://localhost:${app.port}`;
    if (recipe.access !== 'key') await page.goto(url);
    return visit(app, page, url, { url, headers: {}, caFile: '' });
  }

  private async outside(recipe: Recipe, app: RunningApp, page: Page): Promise<Visit> {
    const { stage } = this;
    if (!stage) throw new Error('there is no control plane');
    const origin = stage.originOf(app.port);
    const visibility = recipe.access === 'public' ? 'public' : 'private';
    for (const port of recipe.ports) await stage.setVisibility(port, visibility);
    if (recipe.access !== 'key')
      await page.goto(recipe.access === 'public' ? origin : await stage.link(recipe.ports));
    const { key, caFile } = stage;
    return visit(app, page, origin, {
      url: stage.programUrl(app.port),
      headers: { 'X-API-Key': key },
      caFile,
    });
  }
}

function visit(app: RunningApp, page: Page, origin: string, program: Visit['program']): Visit {
  return {
    app,
    page,
    program,
    word: randomBytes(4).toString('hex'),
    open: async (path) => void (await page.goto(`${origin}${path}`)),
  };
}

/** What a developer would look for in the browser's tools: errors, refusals, and WebSockets that closed. */
function watch(context: BrowserContext): string[] {
  const seen: string[] = [];
  context.on('response', (response) => {
    if (response.status() >= 400)
      seen.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  context.on('requestfailed', (request) =>
    seen.push(`${request.failure()?.errorText} ${request.method()} ${request.url()}`),
  );
  context.on('console', (message) => {
    if (message.type() === 'error') seen.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => seen.push(`error: ${error.error().message}`));
  context.on('page', (page) =>
    page.on('websocket', (socket) => {
      socket.on('socketerror', (error) => seen.push(`WebSocket ${socket.url()}: ${error}`));
    }),
  );
  return seen;
}

/** Each once, with how often it was there. */
function counted(seen: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const each of seen) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].map(([each, count]) => (count === 1 ? each : `${each} (${count} times)`));
}
