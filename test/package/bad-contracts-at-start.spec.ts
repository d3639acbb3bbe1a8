import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, describe, expect, inject, test } from 'vitest';

interface Spoilt {
  /** Contracts, or members of them, that are not there. */
  readonly without?: readonly string[];
  /** What is there instead. */
  readonly instead?: Readonly<Record<string, unknown>>;
  /** Members that throw when they are read. */
  readonly throwing?: readonly string[];
  /** Methods that throw when they are called. */
  readonly failing?: readonly string[];
  readonly schemes?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly as?: 'context';
}

interface StartCase extends Spoilt {
  /** What must be in the message; null: the application starts. */
  readonly says: readonly RegExp[] | null;
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  SandboxDirectory: ['locate', 'locateMany'],
  SandboxIds: ['hostPattern', 'description', 'isWellFormed'],
  ApiKeyStore: ['pattern', 'digest', 'find', 'stillHold'],
  SessionStore: ['pattern', 'find', 'begin', 'stillHold'],
  PortSettings: ['find', 'findMany'],
  ChangeFeed: ['isLive', 'provenAtMs', 'subscribe'],
  SandboxRouteCache: ['get', 'set', 'delete', 'clear'],
  AccessLog: ['record'],
  BearerScheme: ['name', 'find', 'admit', 'stillHold'],
};

/** Each contract names itself and what of it is missing. */
const HALF_GIVEN = Object.entries(MEMBERS).flatMap(([contract, members]) =>
  members.map((member): [string, StartCase] => [
    `${contract} without ${member}`,
    { without: [`${contract}.${member}`], says: [new RegExp(contract), new RegExp(`\\b${member}\\b`)] },
  ]),
);

const THROWING = Object.entries(MEMBERS).flatMap(([contract, members]) =>
  members.map((member): [string, StartCase] => [
    `${contract} whose ${member} throws`,
    { throwing: [`${contract}.${member}`], says: [new RegExp(contract), new RegExp(`\\b${member}\\b`)] },
  ]),
);

const NONSENSE = Object.keys(MEMBERS).flatMap((contract) =>
  [5, 'text', true].map((value): [string, StartCase] => [
    `${contract} that is ${JSON.stringify(value)}`,
    { instead: { [contract]: value }, says: [new RegExp(contract)] },
  ]),
);

const CASES: Readonly<Record<string, StartCase>> = {
  'all contracts': { says: null },
  'no SandboxDirectory': {
    without: ['SandboxDirectory'],
    says: [/SandboxDirectory/, /\blocate\b/, /locateMany/],
  },
  'no ApiKeyStore': { without: ['ApiKeyStore'], says: [/ApiKeyStore/, /pattern/, /stillHold/] },
  'no ApiKeyStore where no scheme asks for one': {
    without: ['ApiKeyStore'],
    schemes: ['BearerScheme'],
    says: null,
  },
  'no SessionStore where a scheme asks for one': {
    without: ['SessionStore'],
    says: [/SessionStore/, /begin/],
  },
  'no SessionStore where no scheme asks for one': {
    without: ['SessionStore'],
    schemes: ['api-key'],
    says: null,
  },
  'none of the contracts that may be absent': {
    without: ['SandboxIds', 'PortSettings', 'ChangeFeed', 'SandboxRouteCache', 'AccessLog'],
    says: null,
  },
  'two contracts missing: both are named': {
    without: ['SandboxDirectory', 'ApiKeyStore.find'],
    says: [/SandboxDirectory/, /ApiKeyStore/],
  },
  'a contract that is null': { instead: { SandboxDirectory: null }, says: [/SandboxDirectory/] },
  'a ChangeFeed that cannot be subscribed to': {
    failing: ['ChangeFeed.subscribe'],
    says: [/ChangeFeed/, /subscribe/],
  },
  'a host pattern that is no pattern': {
    instead: { 'SandboxIds.hostPattern': 'vm-(' },
    says: [/SandboxIds/, /hostPattern/],
  },
  'a host pattern with a group': {
    instead: { 'SandboxIds.hostPattern': 'vm-(a)' },
    says: [/SandboxIds/, /hostPattern/],
  },
  'a host pattern with an anchor': {
    instead: { 'SandboxIds.hostPattern': '^vm-a$' },
    says: [/SandboxIds/, /hostPattern/],
  },
  'a key pattern that is a text': {
    instead: { 'ApiKeyStore.pattern': 'key-' },
    says: [/ApiKeyStore/, /pattern/],
  },
  'a scheme of a name that the module does not have': { schemes: ['api-kee'], says: [/api-kee/] },
  'a scheme that is none': { schemes: ['api-key', 'Object'], says: [/Object/, /admit/] },
  'the same scheme twice': { schemes: ['api-key', 'api-key'], says: [/api-key/] },
  'a scheme with the name of another': { instead: { 'BearerScheme.name': 'api-key' }, says: [/api-key/] },
  'a context without an HTTP server': { as: 'context', says: null },
  ...Object.fromEntries([...HALF_GIVEN, ...THROWING, ...NONSENSE]),
};

const TITLES = Object.keys(CASES);
const REFUSED = TITLES.flatMap((title) => (CASES[title]?.says ?? []).map((part) => [title, part] as const));
const STARTED = TITLES.filter((title) => CASES[title]?.says === null);

describe.each(['express', 'express-nest-11'] as const)('a start with spoilt contracts: %s', (name) => {
  let problems: ReadonlyMap<string, string | null>;
  beforeAll(async () => {
    problems = await startWithEach(inject('foreignApps')[name]);
  });

  test.each(REFUSED)('%s is refused in words like %s', (title, part) => {
    expect(problems.get(title)).toMatch(part);
  });

  test.each(STARTED)('%s is enough to start', (title) => {
    expect(problems.get(title)).toBeNull();
  });
});

/** By title, what the start failed with; null: it did not. */
async function startWithEach(directory: string): Promise<Map<string, string | null>> {
  const child: ChildProcess = spawn(process.execPath, ['start-with.mjs'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'] ?? '', CASES: JSON.stringify(Object.values(CASES)) },
  });
  const problems: (string | null)[] = [];
  child.on('message', ({ problem }: { problem: string | null }) => problems.push(problem));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || problems.length !== TITLES.length)
    throw new Error(`${problems.length} starts, exit ${code}`);
  return new Map(TITLES.map((title, i) => [title, problems[i] ?? null]));
}
