import {
  type Admission,
  type AdmissionEnd,
  type CredentialScheme,
  isAdmissionEnd,
  type Standing,
} from '../contracts/credential-scheme.js';
import type { SandboxDirectory, SandboxLocation, SandboxOfTeam } from '../contracts/sandbox-directory.js';
import {
  accessEnded,
  type Cut,
  sandboxAsleep,
  sandboxGone,
  sandboxMoved,
  sandboxStopped,
} from '../exchange/cut.js';
import type { OpenGroup, OpenMember } from '../exchange/open-group.js';
import { answerInTime } from '../memory/answer-cache.js';
import { isLocation, placeOf } from '../routing/routes.js';

/** How many a store is asked about in one call. */
const BATCH = 500;

/** What was open in a group when the recheck began. Members that come later are not asked about and not cut. */
export interface Asked {
  readonly group: OpenGroup;
  readonly members: readonly OpenMember[];
}

/** What still has to be asked about. Each is removed once it has been answered and, if it does not hold, cut. */
export interface Owed {
  /** Ask where its sandbox is. This comes first: "paused" says more than that its sessions have ended because of that. */
  readonly locations: Set<Asked>;
  /** Ask whether its admission still holds. */
  readonly admissions: Set<Asked>;
}

/**
 * Asks the stores, bypassing every memory, about all that is owed, and cuts what does not hold: what leads to a sandbox
 * that does not run, has moved, or is not the team's any more, and what rests on a credential that no longer admits.
 * Each scheme is asked separately, so that one that hangs delays only what it has admitted.
 *
 * @throws the first error of a store, after everything that was answered has been acted upon
 */
export async function askAbout({ locations, admissions }: Owed, directory: SandboxDirectory): Promise<void> {
  await everyOne(
    [() => recheckLocations(directory, locations), () => recheckAdmissions(admissions)],
    (recheck) => recheck(),
  );
}

async function recheckAdmissions(owed: Set<Asked>): Promise<void> {
  const byScheme = groupBy(stillOpen(owed), ({ group }) => group.admission.scheme);
  const outcomes = await Promise.allSettled(
    [...byScheme].map(([scheme, open]) => recheckScheme(scheme, open, owed)),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

function recheckScheme(scheme: CredentialScheme, open: readonly Asked[], owed: Set<Asked>): Promise<void> {
  const byAdmission = groupBy(open, ({ group }) => group.admission);
  return everyOne(batchesOf([...byAdmission]), async (batch) => {
    const admissions: Admission[] = batch.map(([admission]) => admission);
    const holds = await answerInTime(() => scheme.stillHold(admissions));
    if (!Array.isArray(holds) || holds.length !== admissions.length || !holds.every(isStanding))
      throw new TypeError(`the scheme ${scheme.name} gave no answer for each admission`);
    for (const [i, [, ofAdmission]] of batch.entries()) {
      const end = endOf(holds[i] as Standing);
      // What memory still says of it would let the next one in.
      if (end !== null) for (const change of batch[i]?.[0].restsOn ?? []) scheme.forget(change);
      for (const each of ofAdmission) {
        owed.delete(each);
        if (end !== null) each.group.cut(each.members, accessEnded(end, scheme.endedCode));
      }
    }
  });
}

function recheckLocations(directory: SandboxDirectory, owed: Set<Asked>): Promise<void> {
  const byPlace = groupBy(stillOpen(owed), ({ group }) => `${group.sandboxId}/${group.admission.teamId}`);
  return everyOne(batchesOf([...byPlace.values()]), async (batch) => {
    const pairs = batch.map(([first]) => pairOf(first as Asked));
    const answers = await answerInTime(() => directory.locateMany(pairs));
    if (!Array.isArray(answers) || answers.length !== pairs.length || !answers.every(isLocationOrNull))
      throw new TypeError('locateMany gave no location for each pair');
    for (const [i, ofPlace] of batch.entries()) {
      for (const each of ofPlace) {
        owed.delete(each);
        endWhereGone(each, answers[i] as SandboxLocation | null);
      }
    }
  });
}

function endWhereGone({ group, members }: Asked, location: SandboxLocation | null): void {
  const cut = cutOf(location);
  if (cut !== null) group.cut(members, cut);
  if (cut !== null || location === null) return;
  const place = placeOf(location);
  const elsewhere = members.filter(({ openAt }) => openAt !== null && openAt !== place);
  if (elsewhere.length > 0) group.cut(elsewhere, sandboxMoved());
}

function cutOf(location: SandboxLocation | null): Cut | null {
  if (location === null) return sandboxGone();
  if (location.status === 'running') return null;
  return location.isAsleep === true ? sandboxAsleep(location.status) : sandboxStopped(location.status);
}

function stillOpen(owed: ReadonlySet<Asked>): Asked[] {
  return [...owed].filter(({ group }) => group.size > 0);
}

function pairOf({ group }: Asked): SandboxOfTeam {
  return { sandboxId: group.sandboxId, teamId: group.admission.teamId };
}

function batchesOf<Item>(items: readonly Item[]): Item[][] {
  const batches: Item[][] = [];
  for (let i = 0; i < items.length; i += BATCH) batches.push(items.slice(i, i + BATCH));
  return batches;
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Calls `ask` for one after the other, even if some fail: an answer counts although another store is away. */
async function everyOne<Item>(items: readonly Item[], ask: (item: Item) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) await ask(item).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Null: it holds. */
function endOf(standing: Standing): AdmissionEnd | null {
  if (typeof standing === 'string') return standing;
  return standing ? null : 'revoked';
}

function isStanding(value: unknown): value is Standing {
  return typeof value === 'boolean' || isAdmissionEnd(value);
}

function isLocationOrNull(value: unknown): value is SandboxLocation | null {
  return value === null || isLocation(value);
}
