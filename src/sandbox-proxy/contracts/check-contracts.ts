/** What a contract asks of the object that is given for it. */
export interface ContractForm {
  readonly name: string;
  /** What the object must have, besides its methods. */
  readonly properties?: Readonly<Record<string, (value: unknown) => boolean>>;
  readonly methods: readonly string[];
  readonly isRequired: boolean;
}

/**
 * @param given what was given for each contract; null or undefined: nothing
 * @throws TypeError that names every contract which is missing or has something missing, and what it wants
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

/** A getter that throws has nothing to give. */
function memberOf(members: Record<string, unknown>, name: string): unknown {
  try {
    return members[name];
  } catch {
    return undefined;
  }
}
