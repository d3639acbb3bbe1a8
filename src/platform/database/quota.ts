import type { EntityManager } from 'typeorm';
import { ConflictError } from '../errors/request.errors.js';

/** How many rows of each kind a team may have. Rows that are made at the same moment may exceed it. */
export interface TeamQuotas {
  readonly sandboxes: number;
  readonly apiKeys: number;
  /** Preview links of all its sandboxes together that have not ended. */
  readonly links: number;
  /** Ports with settings of their own of all its sandboxes together. */
  readonly ports: number;
}

/** Selects the rows of each kind that a team has; `$1` is its UUID. */
const ROWS: Readonly<Record<keyof TeamQuotas, string>> = {
  sandboxes: 'SELECT 1 FROM sandboxes WHERE team_id = $1',
  apiKeys: 'SELECT 1 FROM team_api_keys WHERE team_id = $1',
  links: `SELECT 1 FROM sandbox_links l JOIN sandboxes s ON s.id = l.sandbox_id
           WHERE s.team_id = $1 AND coalesce(l.renew_until, l.expires_at) > now()`,
  ports: 'SELECT 1 FROM sandbox_ports p JOIN sandboxes s ON s.id = p.sandbox_id WHERE s.team_id = $1',
};

const NAMES: Readonly<Record<keyof TeamQuotas, string>> = {
  sandboxes: 'sandboxes',
  apiKeys: 'API keys',
  links: 'preview links',
  ports: 'ports with settings of their own',
};

/** Whether the team may have one more. @param teamId UUID */
async function hasRoom(
  manager: EntityManager,
  quotas: TeamQuotas,
  kind: keyof TeamQuotas,
  teamId: string,
): Promise<boolean> {
  const max = quotas[kind];
  const [found] = await manager.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM (${ROWS[kind]} LIMIT $2) AS rows`,
    [teamId, max],
  );
  return (found?.count ?? 0) < max;
}

/** @param teamId UUID @throws ConflictError if the team may not have one more */
export async function requireRoom(
  manager: EntityManager,
  quotas: TeamQuotas,
  kind: keyof TeamQuotas,
  teamId: string,
): Promise<void> {
  if (!(await hasRoom(manager, quotas, kind, teamId)))
    throw new ConflictError(`a team may have at most ${quotas[kind]} ${NAMES[kind]}`, {
      limit: quotas[kind],
    });
}
