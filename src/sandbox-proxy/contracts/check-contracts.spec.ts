import { describe, expect, it } from 'vitest';
import { checkContracts, type ContractForm } from './check-contracts.js';
import { FORMS, SCHEME_FORM } from './forms.js';

const noop = (): void => undefined;

/** What an application would give for each contract, in full. */
const GIVEN = {
  directory: { locate: noop, locateMany: noop },
  ids: { hostPattern: 'vm-[0-9a-f]+', description: '"vm-" and hex digits', isWellFormed: noop },
  apiKeys: { pattern: /wrn_[0-9a-f]{32}/, digest: noop, find: noop, stillHold: noop },
  sessions: { pattern: /wrs_\w+/, find: noop, begin: noop, stillHold: noop },
  ports: { find: noop, findMany: noop },
  feed: { isLive: false, provenAtMs: 0, subscribe: noop },
  routeCache: { get: noop, set: noop, delete: noop, clear: noop },
  accessLog: { record: noop },
} as const satisfies Record<keyof typeof FORMS, object>;
const NAMES = Object.keys(FORMS) as (keyof typeof FORMS)[];

/** What is said against it; null: nothing. */
function problemOf(form: ContractForm, given: unknown): string | null {
  try {
    checkContracts([[form, given]]);
    return null;
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}

/** A contract whose members are its class's, not the object's own. */
class Directory {
  locate(): void {
    // The check looks for methods and calls none.
  }
  locateMany(): void {
    // As above.
  }
}

describe('what is given for a contract', () => {
  it.each(NAMES)('is enough where it has what %s asks for', (name) => {
    expect(problemOf(FORMS[name], GIVEN[name])).toBeNull();
    expect(problemOf(FORMS[name], { ...GIVEN[name], further: 1 })).toBeNull();
  });

  it('may be an object of a class', () => {
    expect(problemOf(FORMS.directory, new Directory())).toBeNull();
  });

  it.each(
    NAMES.flatMap((name) =>
      Object.keys(GIVEN[name]).map((member) => [FORMS[name].name, member, name] as const),
    ),
  )('lacks something where %s has no %s, and the start says so by name', (contract, member, name) => {
    const form: ContractForm = FORMS[name];
    const called = form.methods.includes(member) ? `${member}()` : member;
    for (const given of [
      Object.fromEntries(Object.entries(GIVEN[name]).filter(([key]) => key !== member)),
      { ...GIVEN[name], [member]: null },
      { ...GIVEN[name], [member]: 7n },
    ])
      expect(problemOf(form, given)).toContain(`${contract} lacks ${called}: it must have `);
  });

  it.each(NAMES.filter((name) => FORMS[name].isRequired))('is missed where there is no %s', (name) => {
    const how = `${FORMS[name].name} is missing: give { provide: ${FORMS[name].name}, `;
    for (const nothing of [null, undefined]) expect(problemOf(FORMS[name], nothing)).toContain(how);
  });

  it.each(NAMES.filter((name) => !FORMS[name].isRequired))('is not missed where %s is off', (name) => {
    for (const nothing of [null, undefined]) expect(problemOf(FORMS[name], nothing)).toBeNull();
  });

  it.each([0, '', 'text', true, noop])('is nothing of use: %j', (given) => {
    expect(problemOf(FORMS.directory, given)).toContain('SandboxDirectory lacks locate(), locateMany()');
  });

  it('is told in one message, all of it', () => {
    expect(() =>
      checkContracts([
        [FORMS.directory, null],
        [FORMS.ids, { ...GIVEN.ids, description: '', isWellFormed: null }],
        [FORMS.sessions, null],
        [FORMS.ports, {}],
      ]),
    ).toThrow(
      new TypeError(
        'SandboxProxyModule cannot start: ' +
          'SandboxDirectory is missing: give { provide: SandboxDirectory, useClass: … } in "providers", ' +
          'with locate(), locateMany(); ' +
          'SandboxIds lacks description, isWellFormed(): it must have hostPattern, description, isWellFormed(); ' +
          'PortSettings lacks find(), findMany(): it must have find(), findMany()',
      ),
    );
  });
});

describe('the pattern of sandbox ids in host names', () => {
  it.each(['cl-[0-9a-z]+', 'vm-[0-9a-f]{4}', 'a|b', '(?:vm|box)-\\d+', '[a-z]+'])(
    'may be %s',
    (hostPattern) => {
      expect(problemOf(FORMS.ids, { ...GIVEN.ids, hostPattern })).toBeNull();
    },
  );

  // It becomes a part of one pattern, whose groups are counted, and which has its own anchors.
  it.each(['', '(vm|box)', '(?<id>x)', '^vm', 'vm$', '[', 'vm-(?:', /vm/])('cannot be %s', (hostPattern) => {
    expect(problemOf(FORMS.ids, { ...GIVEN.ids, hostPattern })).toContain('SandboxIds lacks hostPattern');
  });
});

describe('a credential scheme', () => {
  const SCHEME = { name: 'bearer', find: noop, admit: noop, stillHold: noop, forget: noop, permit: noop };
  const form = { ...SCHEME_FORM, name: 'BearerScheme' };

  it('is one with a name and its four methods', () => {
    expect(problemOf(form, SCHEME)).toBeNull();
    for (const name of [undefined, '', 7])
      expect(problemOf(form, { ...SCHEME, name })).toContain('BearerScheme lacks name');
    expect(problemOf(form, { name: 'bearer' })).toContain(
      'BearerScheme lacks find(), admit(), stillHold(), forget()',
    );
  });
});
