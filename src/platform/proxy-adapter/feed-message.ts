import type { Change } from '../../sandbox-proxy/index.js';
import { encodeId, type ResourceKind } from '../identifiers/resource-id.js';

/** A message on the channel: the proof of some feed, or a change. */
export type FeedMessage = { readonly proof: string } | { readonly change: Change };

const EVERYTHING: FeedMessage = { change: { kind: 'everything' } };

/**
 * Reads a notification's payload: the message of a trigger (`{"table":"hosts","id":"0000…"}`) becomes a change in the
 * proxy's terms; `{"proof":"…"}` is the proof of a feed. A message that cannot be read may mean anything, so it is
 * `everything`.
 */
export function readFeedMessage(payload: string | undefined): FeedMessage {
  const message = readObject(payload);
  if (typeof message['proof'] === 'string') return { proof: message['proof'] };
  const change = changeOf(message);
  return change === null ? EVERYTHING : { change };
}

function changeOf({ table, id, keyHash, sandboxId, port }: Readonly<Record<string, unknown>>): Change | null {
  switch (table) {
    case 'sandboxes':
      return withId('cl', id, (sandboxId) => ({ kind: 'sandbox', sandboxId }));
    case 'hosts':
      return withId('host', id, (hostId) => ({ kind: 'host', hostId }));
    case 'teams':
      return withId('team', id, (teamId) => ({ kind: 'team', teamId }));
    case 'team_api_keys':
      return typeof keyHash === 'string' ? credential('api-key', keyHash) : null;
    case 'sandbox_links':
      return withId('link', id, (linkId) => credential('session', linkId));
    case 'sandbox_sessions':
      return withId('session', id, (sessionId) => credential('session', sessionId));
    case 'sandbox_ports':
      return withId('cl', sandboxId, (sandboxId) =>
        typeof port === 'number' ? { kind: 'port', sandboxId, port } : null,
      );
    default:
      return null;
  }
}

function credential(scheme: 'api-key' | 'session', subject: string): Change {
  return { kind: 'credential', scheme, subject };
}

function withId(kind: ResourceKind, uuid: unknown, make: (id: string) => Change | null): Change | null {
  return typeof uuid === 'string' && UUID.test(uuid) ? make(encodeId(kind, uuid)) : null;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function readObject(payload: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(payload ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // the caller treats an unreadable message as one that may mean anything
    return {};
  }
}
