import { decodeId } from '../../identifiers/resource-id.js';
import type { SandboxAddress } from './sandbox-address.js';

/** By address, which is one object for all requests to it. */
const known = new WeakMap<SandboxAddress, string | null>();

/** The UUID behind an address's sandbox id; null where the id decodes to nothing. */
export function sandboxUuid(address: SandboxAddress): string | null {
  let uuid = known.get(address);
  if (uuid === undefined) {
    uuid = decodeId('cl', address.sandboxId);
    known.set(address, uuid);
  }
  return uuid;
}
