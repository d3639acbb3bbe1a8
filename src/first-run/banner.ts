import type { SandboxStatus } from '../sandboxes/sandbox.entity.js';
import type { SandboxAccess } from './sandbox-access.js';

/** What a start with the embedded database has to tell. */
export interface BannerFacts {
  /** `http://127.0.0.1:8000` */
  readonly url: string;
  readonly sandbox: { readonly status: SandboxStatus; readonly access: SandboxAccess } | null;
  readonly demoPort: number;
  /** Null unless it has not been shown yet. */
  readonly apiKey: string | null;
  /** Where the operator's token is kept; null when it is the one from the environment. */
  readonly adminToken: { readonly token: string; readonly path: string } | null;
}

/** The text at the end of a start: what is there, and lines that work when pasted. */
export function banner(facts: BannerFacts): string {
  const lines = [`Sandbox control plane on ${facts.url}`, '', ...whatIsThere(facts)];
  const { sandbox, apiKey, adminToken } = facts;
  if (sandbox !== null) {
    const { access } = sandbox;
    const key = apiKey === null ? `"X-API-Key: $KEY"` : `'X-API-Key: ${apiKey}'`;
    lines.push(
      '',
      '  Open the demo app in the sandbox:',
      `    curl -H ${key} ${access.curlArguments(facts.demoPort)}`,
    );
    lines.push('', '  Any port of the sandbox:', `    ${access.urlTemplate}`);
    lines.push('', '  Your own localhost:3000, through the sandbox:');
    lines.push(`    curl -H ${key} ${access.curlArguments(3000)}`);
  }
  if (adminToken !== null && apiKey !== null) lines.push('', `  Admin token   ${adminToken.token}`);
  if (adminToken !== null)
    lines.push(`${apiKey === null ? '\n' : ''}  Admin token kept in ${adminToken.path}`);
  return `\n${lines.join('\n')}\n\n`;
}

function whatIsThere({ sandbox, apiKey }: BannerFacts): string[] {
  if (apiKey !== null) {
    return [
      'First start: created the team "demo", an API key, and a running sandbox with a demo app inside.',
      '',
      `  API key   ${apiKey}   (shown this once: keep it)`,
    ];
  }
  if (sandbox === null)
    return ['Found the team "demo" again; its sandbox has been deleted (POST /v1/sandboxes creates one).'];
  const status = sandbox.status === 'running' ? 'running' : `${sandbox.status}, so it answers 409`;
  return [
    `Found the team "demo" and its sandbox again (${status}).`,
    'KEY is the API key of the first start; lost, it is replaced by POST /v1/teams/{id}/api-keys with the admin token.',
  ];
}

/** What a start says that shares its data directory with a running control plane, which keeps the demo to itself. */
export function sharedBanner(url: string, pids: readonly number[]): string {
  return `\nSandbox control plane on ${url}\n\nThe control plane with pid ${pids.join(', ')} uses this DATA_DIR too, and keeps the demo sandbox.\n\n`;
}
