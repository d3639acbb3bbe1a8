import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { ApiKey } from '../../platform/api-keys/api-key.entity.js';
import { Host } from '../../platform/hosts/host.entity.js';
import { apiKeyPrefix, generateApiKey, hashApiKey } from '../../platform/identifiers/api-key.js';
import { encodeId } from '../../platform/identifiers/resource-id.js';
import { Sandbox, type SandboxStatus } from '../../platform/sandboxes/sandbox.entity.js';
import { Team } from '../../platform/teams/team.entity.js';
import { SecretFile } from './secret-file.js';

const HOST_TYPE = 'local-agent';
const TEAM_SLUG = 'demo';

/** The demo, for the banner. */
export interface DemoState {
  /** `team-…` */
  readonly teamId: string;
  /** The demo team's sandbox, with its id `cl-…`; null if it has been deleted. */
  readonly sandbox: { readonly id: string; readonly status: SandboxStatus } | null;
  /** In plain text until it has been shown once; null from then on. */
  readonly apiKey: string | null;
  /** To be called when the key has been shown. */
  readonly forgetApiKey: () => void;
}

/**
 * Creates the rows of the demo: the first time, in one transaction, a team, an API key, a host and a running sandbox.
 * Every time it updates the host's address, since the local agent listens on another port after each start.
 *
 * The plain key is kept in `{dataDir}/unshown-api-key` from before the commit until it has been shown: if a start is
 * killed in between, the next one shows it.
 */
export async function prepareDemo(
  dataSource: DataSource,
  dataDir: string,
  agentAddress: string,
): Promise<DemoState> {
  const unshownKey = new SecretFile(dataDir, 'unshown-api-key');
  const { team, sandbox } = await dataSource.transaction(async (manager) => {
    const host = await saveHost(manager, agentAddress);
    const existing = await manager.findOne(Team, { where: { slug: TEAM_SLUG }, withDeleted: true });
    if (existing === null) return createDemo(manager, host, unshownKey);
    const where = { teamId: existing.id, hostId: host.id };
    return {
      team: existing,
      sandbox: await manager.findOne(Sandbox, { where, order: { createdAt: 'ASC' } }),
    };
  });
  const apiKey = unshownKey.read();
  const isKnown =
    apiKey !== null && (await dataSource.manager.existsBy(ApiKey, { keyHash: hashApiKey(apiKey) }));
  return {
    teamId: encodeId('team', team.id),
    sandbox: sandbox && { id: encodeId('cl', sandbox.id), status: sandbox.status },
    apiKey: isKnown ? apiKey : null,
    forgetApiKey: () => unshownKey.remove(),
  };
}

async function saveHost(manager: EntityManager, address: string): Promise<Host> {
  const existing = await manager.findOneBy(Host, { type: HOST_TYPE });
  const host = existing ?? manager.create(Host, { id: randomUUID(), type: HOST_TYPE, metadata: {} });
  return manager.save(Object.assign(host, { address, status: 'online', lastHeartbeatAt: new Date() }));
}

interface Demo {
  readonly team: Team;
  readonly sandbox: Sandbox | null;
}

async function createDemo(manager: EntityManager, host: Host, unshownKey: SecretFile): Promise<Demo> {
  const team = await manager.save(manager.create(Team, { id: randomUUID(), name: 'Demo', slug: TEAM_SLUG }));
  const key = generateApiKey();
  unshownKey.write(key);
  await manager.save(
    manager.create(ApiKey, {
      id: randomUUID(),
      teamId: team.id,
      name: 'first start',
      keyHash: hashApiKey(key),
      keyPrefix: apiKeyPrefix(key),
      createdBy: null,
    }),
  );
  const sandbox = {
    id: randomUUID(),
    teamId: team.id,
    hostId: host.id,
    template: 'demo',
    status: 'running',
  } as const;
  const created = manager.create(Sandbox, { ...sandbox, metadata: { demo: true }, startedAt: new Date() });
  return { team, sandbox: await manager.save(created) };
}
