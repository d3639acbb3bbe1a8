import type { Configuration } from '../../program/config/configuration.js';

/**
 * The URL under which a sandbox's ports answer: `cl-…` -> `http://{port}-cl-….localhost:8000`, with `{port}` as it stands.
 *
 * @param listenerPort the port that is listened on, which the configuration does not say where it says 0
 */
export function sandboxUrlTemplate(
  { PUBLIC_URL, SANDBOX_DOMAINS }: Pick<Configuration, 'PUBLIC_URL' | 'SANDBOX_DOMAINS'>,
  listenerPort: number,
  sandboxId: string,
): string {
  const base = new URL(PUBLIC_URL ?? `http://${SANDBOX_DOMAINS[0] ?? 'localhost'}:${listenerPort}`);
  return `${base.protocol}//{port}-${sandboxId}.${base.host}`;
}
