/** How one environment variable becomes one property of `Configuration`. */
export interface VariableOptions {
  /** One line for the documentation. */
  readonly description: string;
  /** Completes "NAME must be …" when the value is refused. */
  readonly wants: string;
  /** Turns text into a typed value. Text that it cannot read is returned as it is, for the validators to refuse. */
  readonly parse?: (text: string) => unknown;
  /** True where an empty variable is a value of its own; otherwise it counts as unset. */
  readonly isEmptyGiven?: boolean;
  /** True if the value must never be printed. */
  readonly secret?: boolean;
}

export interface Variable extends VariableOptions {
  readonly name: string;
}

const registry = new WeakMap<object, Variable[]>();

/** Declares a property as read from the environment variable of the same name. */
export function FromEnvironment(options: VariableOptions): PropertyDecorator {
  return (prototype, name) => {
    const variables = registry.get(prototype) ?? [];
    variables.push({ ...options, name: String(name) });
    registry.set(prototype, variables);
  };
}

/** The variables declared on a class, in the order of the source. */
export function variablesOf(prototype: object): readonly Variable[] {
  return registry.get(prototype) ?? [];
}

/** Strict decimal integer: `80x`, `1e3`, ` 80` and `0x50` stay text. */
export function integer(text: string): unknown {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** `a, b,` -> `['a', 'b']`. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Like `list`, for names in which letter case and a trailing dot do not matter: `Example.COM.` -> `example.com`. */
export function domainList(text: string): string[] {
  return list(text).map((item) => item.toLowerCase().replace(/\.$/, ''));
}

/** `22,49983` -> `[22, 49983]`; `none` -> `[]`. */
export function portList(text: string): unknown[] {
  return text.trim() === 'none' ? [] : list(text).map(integer);
}
