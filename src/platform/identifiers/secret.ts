import { hash, timingSafeEqual } from 'node:crypto';

/** Compares a secret with what somebody has sent, in a time that tells nothing of either, not even of their lengths. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', secret, 'buffer'));
}
