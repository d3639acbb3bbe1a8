/** What an object must have to fulfil a contract. */
export interface ContractForm {
  readonly name: string;
  /** Properties, each with the test of its value. */
  readonly properties?: Readonly<Record<string, (value: unknown) => boolean>>;
  readonly methods: readonly string[];
  readonly isRequired: boolean;
}

/**
 * @param given the object given for each contract; null or undefined: none
 * @throws TypeError that names each contract that is missing or incomplete, and what it must have
 */
export function checkContracts(given: readonly (readonly [ContractForm, unknown])[]): void {
  const problems = given.flatMap(([form, object]) => problemOf(form, object) ?? []);
  if (problems.length > 0) throw new TypeError(`SandboxProxyModule cannot start: ${problems.join('; ')}`);
}

function problemOf(
  { name, methods, properties = {}, isRequired }: ContractForm,
  object: unknown,
): string | null {
  const wants = [...Object.keys(properties), ...methods.map((method) => `${method}()`)].join(', ');
  if (object === null || object === undefined) {
    if (!isRequired) return null;
    return `${name} is missing: give { provide: ${name}, useClass: … } in "providers", with ${wants}`;
  }
  const members = object as Record<string, unknown>;
  const missing = [
    ...Object.entries(properties).flatMap(([property, isRight]) =>
      isRight(memberOf(members, property)) ? [] : [property],
    ),
    ...methods
      .filter((method) => typeof memberOf(members, method) !== 'function')
      .map((method) => `${method}()`),
  ];
  if (missing.length === 0) return null;
  return `${name} lacks ${missing.join(', ')}: it must have ${wants}`;
}

/** A getter that throws counts as missing. */
function memberOf(members: Record<string, unknown>, name: string): unknown {
  try {
    return members[name];
  } catch {
    return undefined;
  }
}
