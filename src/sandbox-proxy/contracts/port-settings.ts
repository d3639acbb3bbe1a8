import type { SessionPlace } from './session-store.js';

/** What the team of a sandbox has said of one of its ports. */
export interface PortRules {
  /** The team that the sandbox belongs to. */
  readonly teamId: string;
  /** `public`: nobody needs a credential. */
  readonly visibility: 'private' | 'public';
  /** `app`: the app answers preflights and allows origins itself; a list: the proxy does so, for these. */
  readonly cors: 'app' | readonly string[];
}

/**
 * Settings per port. Without it: every port is private, and CORS is the app's own business.
 *
 * Errors: as for `SandboxDirectory`.
 */
export abstract class PortSettings {
  /** Null where nothing has been said of the port: it is private then. Asked on a miss only, also for strangers. */
  abstract find(sandboxId: string, port: number): Promise<PortRules | null>;
  /** The same for many at once, at most 500: one answer each, in their order. Past every cache. */
  abstract findMany(places: readonly SessionPlace[]): Promise<readonly (PortRules | null)[]>;
}
