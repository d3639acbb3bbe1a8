import { validateSync } from 'class-validator';
import { Configuration } from './schema.js';
import { variablesOf } from './variable.js';

export { Configuration, LOG_LEVELS, type LogLevel } from './schema.js';

/** Variables of the environment are wrong. The message has one line for each of them. */
export class ConfigurationError extends Error {
  /** @param problems e.g. `['PORT must be a whole number from 0 to 65535, but is "80x"']` */
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
  }
}

/** A variable as the documentation shows it; `default` is `''` if there is none. */
export interface ConfigurationVariable {
  readonly name: keyof Configuration;
  readonly default: string;
  readonly description: string;
}

/** Defaults that differ with NODE_ENV=production. */
const PRODUCTION_DEFAULTS = { SHUTDOWN_DELAY_MS: 5_000, EMBEDDED_DATABASE: 'no' } as const;

const VARIABLES = variablesOf(Configuration.prototype);

/**
 * Reads the settings from `env`. An empty variable counts as unset, where its description does not say otherwise.
 *
 * @throws ConfigurationError naming all problems at once. It never contains the value of a secret.
 */
export function loadConfiguration(env: NodeJS.ProcessEnv): Configuration {
  const configuration = new Configuration();
  if (env['NODE_ENV'] === 'production') Object.assign(configuration, PRODUCTION_DEFAULTS);
  for (const { name, parse, isEmptyGiven } of VARIABLES) {
    const text = env[name];
    if (text !== undefined && (text !== '' || isEmptyGiven === true)) {
      Object.assign(configuration, { [name]: parse === undefined ? text : parse(text) });
    }
  }
  const wrong = new Set(validateSync(configuration).map((error) => error.property));
  const problems = VARIABLES.filter(({ name }) => wrong.has(name)).map(({ name, wants, secret }) => {
    const text = env[name];
    if (text === undefined || text === '') return `${name} must be ${wants}, but is not set`;
    return `${name} must be ${wants}, but is ${secret ? 'something else' : JSON.stringify(text)}`;
  });
  if (configuration.DATABASE_URL === undefined && configuration.EMBEDDED_DATABASE === 'no') {
    const why = env['EMBEDDED_DATABASE'] ? 'EMBEDDED_DATABASE is no' : 'NODE_ENV is production';
    problems.push(
      `DATABASE_URL must be set, because ${why}; or set EMBEDDED_DATABASE=yes to keep everything in a PostgreSQL in DATA_DIR, with a demo`,
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configuration;
}

/** Every variable with its default, in the order of the source. */
export const CONFIGURATION_VARIABLES: readonly ConfigurationVariable[] = describeVariables();

function describeVariables(): ConfigurationVariable[] {
  const defaults = new Map(Object.entries(new Configuration()));
  return VARIABLES.map(({ name, description }) => ({
    name: name as keyof Configuration,
    default: String(defaults.get(name) ?? ''),
    description,
  }));
}

/** The README's table: one Markdown row for each variable. */
export function configurationTable(): string {
  const rows = CONFIGURATION_VARIABLES.map(
    (variable) =>
      `| \`${variable.name}\` | ${variable.default === '' ? '' : `\`${variable.default}\``} | ${variable.description} |`,
  );
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

/** The content of `.env.example`: every variable commented out at its default. */
export function environmentExample(): string {
  return CONFIGURATION_VARIABLES.map(
    ({ name, default: value, description }) => `# ${description}\n#${name}=${value}\n`,
  ).join('\n');
}
