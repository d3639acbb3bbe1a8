import type { PlatformOptions } from '../platform.options.js';

/**
 * The URL of a sandbox's ports: `cl-…` -> `http://{port}-cl-….localhost:8000`, where `{port}` is to be replaced.
 *
 * @param listenerPort the port that the program listens on, which the configuration does not know if it says 0
 */
export function sandboxUrlTemplate(
  { publicUrl, sandboxDomains }: Pick<PlatformOptions, 'publicUrl' | 'sandboxDomains'>,
  listenerPort: number,
  sandboxId: string,
): string {
  const base = new URL(publicUrl ?? `http://${sandboxDomains[0] ?? 'localhost'}:${listenerPort}`);
  return `${base.protocol}//{port}-${sandboxId}.${base.host}`;
}
