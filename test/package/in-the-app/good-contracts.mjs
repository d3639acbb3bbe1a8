// Every contract of the proxy as plain objects that do what they should, for a test to spoil.
import { CredentialScheme } from '@sandbox-control-plane/sandbox-proxy';

const RUNNING = { status: 'running', address: process.env['AGENT'] ?? '127.0.0.1:1', hostId: 'h-1' };

export class BearerScheme extends CredentialScheme {
  name = 'bearer';

  find({ request }) {
    const secret = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    return secret === undefined ? null : { secret, header: 'authorization' };
  }

  admit({ secret }) {
    return {
      scheme: this,
      teamId: 'blue',
      restsOn: [{ kind: 'credential', scheme: 'bearer', subject: secret }],
    };
  }

  async stillHold(admissions) {
    return admissions.map(() => true);
  }
}

export function goodContracts() {
  return {
    SandboxDirectory: {
      locate: async () => RUNNING,
      locateMany: async (pairs) => pairs.map(() => RUNNING),
    },
    SandboxIds: { hostPattern: 'vm-[0-9a-z]+', description: '"vm-" and more', isWellFormed: () => true },
    ApiKeyStore: {
      pattern: /key-[0-9a-z-]+/,
      digest: (key) => key,
      find: async () => ({ keyId: 'k-1', teamId: 'blue' }),
      stillHold: async (keys) => keys.map(() => true),
    },
    SessionStore: {
      pattern: /link-[0-9a-z]+/,
      find: async () => null,
      begin: async () => null,
      stillHold: async (sessions) => sessions.map(() => true),
    },
    PortSettings: {
      find: async () => null,
      findMany: async (places) => places.map(() => null),
    },
    ChangeFeed: { isLive: true, provenAtMs: 0, subscribe: () => () => undefined },
    SandboxRouteCache: {
      get: async () => undefined,
      set: async () => undefined,
      delete: async () => undefined,
      clear: async () => undefined,
    },
    AccessLog: { record: () => undefined },
    BearerScheme: new BearerScheme(),
  };
}
