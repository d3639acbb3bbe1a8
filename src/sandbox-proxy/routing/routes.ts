import { topicOf } from '../contracts/changes.js';
import type { SandboxLocation } from '../contracts/sandbox-directory.js';

/** The key of a route: `{sandboxId}/{teamId}`. A sandbox id is part of a host name, so it has no slash. */
export function routeKey(sandboxId: string, teamId: string): string {
  return `${sandboxId}/${teamId}`;
}

/** The topics that a route rests on: of its sandbox, its team and its host. */
export function topicsOfRoute(key: string, location: SandboxLocation | null): string[] {
  const slash = key.indexOf('/');
  const topics = [
    topicOf({ kind: 'sandbox', sandboxId: key.slice(0, slash) }),
    topicOf({ kind: 'team', teamId: key.slice(slash + 1) }),
  ];
  const hostId = location?.hostId ?? null;
  if (hostId !== null) topics.push(topicOf({ kind: 'host', hostId }));
  return topics;
}

/** True for a location with the shape of the contract. */
export function isLocation(value: unknown): value is SandboxLocation {
  if (typeof value !== 'object' || value === null) return false;
  const { status, address, hostId, isAsleep } = value as Record<string, unknown>;
  return (
    typeof status === 'string' &&
    typeof address === 'string' &&
    (hostId === null || typeof hostId === 'string') &&
    (isAsleep === undefined || typeof isAsleep === 'boolean')
  );
}

/** What identifies the host of a location: its id, or its address where it has no id. */
export function placeOf({ hostId, address }: SandboxLocation): string {
  return hostId ?? address;
}
