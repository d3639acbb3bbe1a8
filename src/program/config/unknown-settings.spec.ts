import { describe, expect, it } from 'vitest';
import { CONFIGURATION_VARIABLES } from './configuration.js';
import { unknownSettings } from './unknown-settings.js';

const KNOWN = CONFIGURATION_VARIABLES.map(({ name }) => name);
const told = (...names: string[]) => unknownSettings(Object.fromEntries(names.map((it) => [it, 'x'])), KNOWN);

describe('a variable that looks like a setting and is none', () => {
  it.each([
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['DATABASE_URL_FILE', 'DATABASE_URL'],
    ['ADMIN_TOKEN_FILE', 'ADMIN_TOKEN'],
    ['SHUTDOWN_GRACE', null],
    ['SHUTDOWN_GRACE_MSEC', 'SHUTDOWN_GRACE_MS'],
    ['SHUTDOWN_GRACE_MS_', 'SHUTDOWN_GRACE_MS'],
    ['SANDBOX_DOMAIN', 'SANDBOX_DOMAINS'],
    ['WORKER', 'WORKERS'],
    ['PORTS', 'PORT'],
    ['PROT', 'PORT'],
    ['PORT_FILE', 'PORT'],
    ['TRUSTED_PROXY', null],
  ])('%s is named, as %s', (name, meant) => {
    expect(told(name)).toEqual(
      meant === null ? [] : [`${name} is not a setting, and is ignored: did you mean ${meant}?`],
    );
  });

  it('never has its value printed', () => {
    expect(unknownSettings({ ADMIN_TOKN: 'hunter2' }, KNOWN).join()).not.toContain('hunter2');
  });

  it('is not one of the settings, nor a variable that systems have', () => {
    expect(told(...KNOWN)).toEqual([]);
    const others =
      'HOME HOSTNAME HOSTTYPE HOST_IP PATH PWD OLDPWD SHELL SHLVL LANG LC_ALL TERM USER LOGNAME TZ DEBUG';
    const more =
      'NODE_OPTIONS NODE_PATH NODE_VERSION NODE_EXTRA_CA_CERTS NODE_UNIQUE_ID NODE_CHANNEL_FD npm_config_cache';
    const kubernetes =
      'KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP_ADDR API_PORT PORT_8000_TCP';
    const postgres = 'PGHOST PGPORT PGDATABASE POSTGRES_PASSWORD TEST_DATABASE_URL';
    expect(
      told(...`${others} ${more} ${kubernetes} ${postgres} XDG_DATA_DIRS http_proxy no_proxy`.split(' ')),
    ).toEqual([]);
  });

  it('counts as unset when it is empty', () => {
    expect(unknownSettings({ DATABSE_URL: '' }, KNOWN)).toEqual([]);
  });
});
