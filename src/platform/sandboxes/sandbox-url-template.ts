import type { PlatformOptions } from '../platform.options.js';

/**
 * The URL under which a sandbox's ports answer: `cl-…` -> `http://{port}-cl-….localhost:8000`, with `{port}` as it stands.
 *
 * @param listenerPort the port that is listened on, which the configuration leaves open where it says 0
 */
export function sandboxUrlTemplate(
  { publicUrl, sandboxDomains }: Pick<PlatformOptions, 'publicUrl' | 'sandboxDomains'>,
  listenerPort: number,
  sandboxId: string,
): string {
  const base = new URL(publicUrl ?? `http://${sandboxDomains[0] ?? 'localhost'}:${listenerPort}`);
  return `${base.protocol}//{port}-${sandboxId}.${base.host}`;
}
