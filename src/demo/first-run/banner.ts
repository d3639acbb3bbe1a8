import type { SandboxStatus } from '../../platform/sandboxes/sandbox.entity.js';

/** What to print after a start with the embedded database. */
export interface BannerFacts {
  /** Where the control plane listens: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** The demo team's id: `team-…`. */
  readonly teamId: string;
  /** Null if it has been deleted since the first start. */
  readonly sandbox: SandboxFacts | null;
  /** Null if it has been shown before. */
  readonly apiKey: string | null;
  /** The generated operator's token and its file; null if the token comes from the environment. */
  readonly adminToken: { readonly token: string; readonly path: string } | null;
}

export interface SandboxFacts {
  readonly status: SandboxStatus;
  /** `http://{port}-cl-….localhost:8000` */
  readonly urlTemplate: string;
  /** curl's arguments for the demo app, without the key. */
  readonly demo: string;
  /** The same for port 3000 of the sandbox. */
  readonly port3000: string;
}

/** The text at the end of a start: what there is, and lines that work when pasted. */
export function banner(facts: BannerFacts): string {
  const { apiKey, sandbox } = facts;
  const header = apiKey === null ? '"X-API-Key: $KEY"' : `'X-API-Key: ${apiKey}'`;
  const lines = [
    `Sandbox control plane on ${facts.url}`,
    ...(apiKey === null ? foundAgain(facts) : firstStart(apiKey)),
    ...(sandbox === null ? [] : howToReach(sandbox, header)),
    ...inBrowser(facts.url),
    ...operator(facts),
  ];
  return `\n${lines.join('\n')}\n\n`;
}

function firstStart(apiKey: string): string[] {
  return [
    'First start: created the team "demo", an API key, and a running sandbox with a demo app inside.',
    '',
    `  API key, shown this once:  ${apiKey}`,
  ];
}

function foundAgain({ sandbox }: BannerFacts): string[] {
  if (sandbox === null) return ['Found the team "demo" again. Its sandbox has been deleted.'];
  const status =
    sandbox.status === 'running' ? 'running' : `${sandbox.status}: it answers 409 until it is running`;
  return [`Found the team "demo" and its sandbox again (${status}). KEY is the API key of the first start.`];
}

function howToReach({ urlTemplate, demo, port3000 }: SandboxFacts, header: string): string[] {
  return [
    '',
    '  The demo app in the sandbox:',
    `    curl -H ${header} ${demo}`,
    '',
    '  Any port of the sandbox:',
    `    ${urlTemplate}`,
    '',
    '  Your own localhost:3000, through the sandbox:',
    `    curl -H ${header} ${port3000}`,
  ];
}

/** A browser cannot send the key by itself, so it begins at the console. */
function inBrowser(url: string): string[] {
  return ['', '  In a browser, with that key:', `    ${url}/`];
}

function operator({ url, teamId, apiKey, adminToken }: BannerFacts): string[] {
  if (adminToken === null) return [];
  if (apiKey !== null) return ['', `  Admin token, kept in ${adminToken.path}:  ${adminToken.token}`];
  return [
    '',
    `  A new API key, with the admin token kept in ${adminToken.path}:`,
    `    curl -H "Authorization: Bearer $(cat '${adminToken.path}')" -H 'Content-Type: application/json' -d '{"name":"new"}' ${url}/v1/teams/${teamId}/api-keys`,
  ];
}
