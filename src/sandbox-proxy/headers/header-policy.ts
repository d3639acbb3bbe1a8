import type { AppAddress } from './app-address.js';
import type { CredentialText } from './credential-text.js';
import type { OwnCookies } from './own-cookies.js';

/** What the header rules of both directions need to know of the application. Made once, at the start. */
export interface HeaderPolicy {
  readonly credentials: CredentialText;
  readonly cookies: OwnCookies;
  /** How apps see themselves whose `appHost` is `local`. */
  readonly app: AppAddress;
  /** Sent to agents as `X-Sandbox-Agent-Token`; null: nothing. */
  readonly agentToken: string | null;
}

/** DI token of the policy. */
export const HEADER_POLICY = Symbol('HEADER_POLICY');
