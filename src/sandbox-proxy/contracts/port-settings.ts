import type { SessionPlace } from './session-store.js';

/** What a team has set for one port of its sandbox. */
export interface PortRules {
  /** The team that the sandbox belongs to. */
  readonly teamId: string;
  /** `public`: no credential is needed. */
  readonly visibility: 'private' | 'public';
  /** `app`: the app itself answers preflights and allows origins; a list: the proxy does so, for these origins. */
  readonly cors: 'app' | readonly string[];
  /** How the app sees itself; absent: `local`. */
  readonly appHost?: AppHost;
}

/**
 * `local`: as `http://localhost:{port}`, as if its visitors sat at its own machine. `external`: as the address that its
 * visitors use.
 */
export type AppHost = 'local' | 'external';

/**
 * Settings of single ports. Without it: every port is private, and CORS is left to the app.
 *
 * Errors as for `SandboxDirectory`.
 */
export abstract class PortSettings {
  /** Null: nothing is set, the port is private. Called only when memory does not know, but also for strangers. */
  abstract find(sandboxId: string, port: number): Promise<PortRules | null>;
  /** The same for many (at most 500): one answer each, in the same order. Must bypass every cache. */
  abstract findMany(places: readonly SessionPlace[]): Promise<readonly (PortRules | null)[]>;
}
