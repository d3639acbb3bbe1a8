import { type DynamicModule, type ModuleMetadata, type Provider, type Type, Module } from '@nestjs/common';
import { HostHeaders } from './address/host-header.js';
import { Peers } from './address/peer.js';
import { SandboxHostNames } from './address/sandbox-address.js';
import { AdmissionService, CREDENTIAL_SCHEMES } from './admission/admission.service.js';
import { ApiKeyScheme } from './admission/api-key.scheme.js';
import { API_KEY_SCHEME, ApiKeyService } from './admission/api-key.service.js';
import { BrowserAccess } from './admission/browser-access.js';
import { PermissionService } from './admission/permission.service.js';
import { PortRulesService } from './admission/port-rules.service.js';
import { PublicPortScheme } from './admission/public-port.scheme.js';
import { SESSION_SCHEME, SessionsService } from './admission/sessions.service.js';
import { SessionScheme } from './admission/session.scheme.js';
import { StrangerBudget } from './admission/stranger-budget.js';
import { toBlockList } from './agent-client/agent-address.js';
import { HostClientPool } from './agent-client/host-client-pool.js';
import { NestAccessLog } from './answers/nest-access-log.js';
import { AccessLog } from './contracts/access-log.js';
import { ApiKeyStore } from './contracts/api-key-store.js';
import { ChangeFeed, NoChangeFeed } from './contracts/change-feed.js';
import { checkContracts } from './contracts/check-contracts.js';
import { CredentialScheme } from './contracts/credential-scheme.js';
import { FORMS, SCHEME_FORM } from './contracts/forms.js';
import { PortSettings } from './contracts/port-settings.js';
import { SandboxDirectory } from './contracts/sandbox-directory.js';
import { Base36SandboxIds, SandboxIds } from './contracts/sandbox-ids.js';
import { SandboxRouteCache } from './contracts/sandbox-route-cache.js';
import { SessionStore } from './contracts/session-store.js';
import { Entrance } from './entrance/entrance.js';
import { LastAnswers } from './entrance/last-answers.js';
import { SandboxProxyMiddleware } from './entrance/sandbox-proxy.middleware.js';
import { SandboxProxy } from './entrance/sandbox-proxy.service.js';
import { SandboxUpgradeListener } from './entrance/upgrade.listener.js';
import { RequestHandler } from './handle-request.js';
import { CredentialText } from './headers/credential-text.js';
import { AppAddress } from './headers/app-address.js';
import { HEADER_POLICY, type HeaderPolicy } from './headers/header-policy.js';
import { OwnCookies } from './headers/own-cookies.js';
import { OpenAccess } from './open-access/open-access.js';
import { SandboxChanges } from './open-access/sandbox-changes.service.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions, withDefaults } from './options.js';
import { Relay } from './relay/relay.service.js';
import { Tunnels } from './relay/tunnels.js';
import { MemorySandboxRouteCache } from './routing/sandbox-route-cache.js';
import { SandboxResolverService } from './routing/sandbox-resolver.service.js';

/** A kind of credential: a class of the application, or the name of one of the module's own. */
export type SchemeChoice = Type<CredentialScheme> | 'api-key' | 'session';

/** What `forRoot` and `forRootAsync` take besides options. */
export interface SandboxProxyExtras {
  /** The contracts, e.g. `{ provide: SandboxDirectory, useClass: … }`, and replacements for the module's own providers. */
  readonly providers?: readonly Provider[];
  /**
   * The kinds of credential, in the order in which they are tried. Public ports are always tried last and are not listed.
   * Default: API keys, then sessions if there is a `SessionStore`.
   */
  readonly schemes?: readonly SchemeChoice[];
}

/** Options that a factory makes at the start, from providers of `imports`. */
export interface SandboxProxyAsyncOptions extends SandboxProxyExtras {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: readonly unknown[];
  // The parameters are what `inject` names, in its order, as everywhere in Nest.
  readonly useFactory: (
    ...dependencies: never[]
  ) => Partial<SandboxProxyOptions> | Promise<Partial<SandboxProxyOptions>>;
}

const GIVEN_OPTIONS = Symbol('GIVEN_OPTIONS');
const CONTRACTS_CHECKED = Symbol('CONTRACTS_CHECKED');

/**
 * The sandbox proxy. Requests whose Host header reads `{port}-{sandboxId}.{domain}` go to the sandbox. All others go to
 * the application as before: the module mounts no route and changes nothing for them.
 *
 * It needs a `SandboxDirectory` and an `ApiKeyStore` in `providers`. The other contracts have a default, or their
 * feature is off.
 */
@Module({})
export class SandboxProxyModule {
  static forRoot(options: Partial<SandboxProxyOptions> & SandboxProxyExtras): DynamicModule {
    const { providers, schemes, ...given } = options;
    return moduleOf({ provide: GIVEN_OPTIONS, useValue: given }, [], { providers, schemes });
  }

  static forRootAsync(options: SandboxProxyAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, providers, schemes } = options;
    const given = { provide: GIVEN_OPTIONS, inject: [...inject] as never[], useFactory };
    return moduleOf(given as Provider, imports, { providers, schemes });
  }
}

function moduleOf(
  given: Provider,
  imports: NonNullable<ModuleMetadata['imports']>,
  {
    providers = [],
    schemes,
  }: { providers: readonly Provider[] | undefined; schemes: SandboxProxyExtras['schemes'] },
): DynamicModule {
  const ownSchemes = (schemes ?? []).filter((scheme) => typeof scheme !== 'string');
  return {
    module: SandboxProxyModule,
    imports,
    providers: [
      given,
      ...contractProviders(schemes),
      ...settingProviders(),
      ...schemeProviders(schemes, ownSchemes),
      ...SERVICES,
      ...providers,
    ],
    exports: [
      AccessLog,
      ApiKeyService,
      ChangeFeed,
      HostClientPool,
      Peers,
      SandboxChanges,
      SandboxProxy,
      SandboxProxyMiddleware,
      SandboxResolverService,
      SandboxRouteCache,
    ],
  };
}

/** Each can be replaced by a provider of the same token in `providers`. */
const SERVICES: readonly Provider[] = [
  AdmissionService,
  BrowserAccess,
  Entrance,
  HostClientPool,
  LastAnswers,
  OpenAccess,
  PermissionService,
  PortRulesService,
  PublicPortScheme,
  Relay,
  RequestHandler,
  SandboxChanges,
  SandboxProxy,
  SandboxProxyMiddleware,
  SandboxResolverService,
  SandboxUpgradeListener,
  SessionsService,
  StrangerBudget,
  Tunnels,
];

/** Defaults of the contracts; null: the feature is off. All contracts are checked before anything else is made. */
function contractProviders(schemes: SandboxProxyExtras['schemes']): Provider[] {
  const needsKeys = schemes === undefined || schemes.includes(API_KEY_SCHEME);
  const needsSessions = schemes?.includes(SESSION_SCHEME) === true;
  return [
    { provide: SandboxDirectory, useValue: null },
    { provide: SandboxIds, useClass: Base36SandboxIds },
    { provide: ApiKeyStore, useValue: null },
    { provide: SessionStore, useValue: null },
    { provide: PortSettings, useValue: null },
    { provide: ChangeFeed, useClass: NoChangeFeed },
    { provide: AccessLog, useClass: NestAccessLog },
    {
      provide: CONTRACTS_CHECKED,
      inject: [SandboxDirectory, SandboxIds, ApiKeyStore, SessionStore, PortSettings, ChangeFeed, AccessLog],
      useFactory: (directory: unknown, ids: unknown, apiKeys: unknown, ...rest: unknown[]): true => {
        const [sessions, ports, feed, accessLog] = rest;
        checkContracts([
          [FORMS.directory, directory],
          [FORMS.ids, ids],
          [{ ...FORMS.apiKeys, isRequired: needsKeys }, apiKeys],
          [{ ...FORMS.sessions, isRequired: needsSessions }, sessions],
          [FORMS.ports, ports],
          [FORMS.feed, feed],
          [FORMS.accessLog, accessLog],
        ]);
        return true;
      },
    },
  ];
}

function settingProviders(): Provider[] {
  return [
    {
      provide: SANDBOX_PROXY_OPTIONS,
      inject: [GIVEN_OPTIONS, CONTRACTS_CHECKED],
      useFactory: (given: Partial<SandboxProxyOptions>): SandboxProxyOptions => withDefaults(given),
    },
    {
      provide: SandboxRouteCache,
      inject: [SANDBOX_PROXY_OPTIONS],
      useFactory: ({ routeCacheMax }: SandboxProxyOptions) => new MemorySandboxRouteCache(routeCacheMax),
    },
    {
      provide: HostHeaders,
      inject: [SandboxIds, SANDBOX_PROXY_OPTIONS],
      useFactory: (ids: SandboxIds, { domains }: SandboxProxyOptions) =>
        new HostHeaders(new SandboxHostNames(ids, domains)),
    },
    {
      provide: Peers,
      inject: [SANDBOX_PROXY_OPTIONS],
      useFactory: ({ trustedProxies }: SandboxProxyOptions) => new Peers(toBlockList(trustedProxies)),
    },
    {
      provide: HEADER_POLICY,
      inject: [CREDENTIAL_SCHEMES, SANDBOX_PROXY_OPTIONS],
      useFactory: (
        schemes: readonly CredentialScheme[],
        { privateCookies, agentToken, agentAppHost }: SandboxProxyOptions,
      ): HeaderPolicy => {
        const credentials = new CredentialText(schemes.flatMap(({ pattern }) => pattern ?? []));
        const names = [...schemes.flatMap(({ cookies }) => cookies), ...privateCookies];
        const cookies = new OwnCookies(names, credentials);
        return { credentials, cookies, agentToken, app: new AppAddress(agentAppHost) };
      },
    },
  ];
}

/**
 * The module's own schemes exist only where their stores are given. `CREDENTIAL_SCHEMES` is the list in the order of
 * trial.
 */
function schemeProviders(
  chosen: SandboxProxyExtras['schemes'],
  ownSchemes: readonly Type<CredentialScheme>[],
): Provider[] {
  return [
    ...ownSchemes,
    {
      provide: ApiKeyService,
      inject: [ApiKeyStore, ChangeFeed, SANDBOX_PROXY_OPTIONS],
      useFactory: (store: ApiKeyStore | null, feed: ChangeFeed, options: SandboxProxyOptions) =>
        store === null ? null : new ApiKeyService(store, feed, options),
    },
    {
      provide: ApiKeyScheme,
      inject: [ApiKeyService, ApiKeyStore],
      useFactory: (apiKeys: ApiKeyService, store: ApiKeyStore | null) =>
        store === null ? null : new ApiKeyScheme(apiKeys, store),
    },
    {
      provide: SessionScheme,
      inject: [SessionsService, PortRulesService, SessionStore],
      useFactory: (sessions: SessionsService, ports: PortRulesService, store: SessionStore | null) =>
        store === null ? null : new SessionScheme(sessions, ports),
    },
    {
      provide: CREDENTIAL_SCHEMES,
      inject: [ApiKeyScheme, SessionScheme, PublicPortScheme, CONTRACTS_CHECKED, ...ownSchemes],
      useFactory: (
        apiKey: ApiKeyScheme | null,
        session: SessionScheme | null,
        publicPort: PublicPortScheme,
        _checked: true,
        ...others: CredentialScheme[]
      ): CredentialScheme[] => {
        checkContracts(
          others.map((scheme, i) => [{ ...SCHEME_FORM, name: ownSchemes[i]?.name ?? 'a scheme' }, scheme]),
        );
        const order = chosen ?? [API_KEY_SCHEME, SESSION_SCHEME];
        checkChoices(order, [...others.map(({ name }) => name), publicPort.name]);
        const own: Readonly<Record<string, CredentialScheme | null>> = { 'api-key': apiKey, session };
        const inOrder = order.flatMap((choice) =>
          typeof choice === 'string'
            ? (own[choice] ?? [])
            : (others[ownSchemes.indexOf(choice)] as CredentialScheme),
        );
        return [...inOrder, publicPort] as CredentialScheme[];
      },
    },
  ];
}

/** @throws TypeError for an unknown scheme, one that is listed twice, or two with the same name */
function checkChoices(order: readonly SchemeChoice[], namesOfOthers: readonly string[]): void {
  const names = [...order.filter((choice) => typeof choice === 'string'), ...namesOfOthers];
  const unknown = order.filter(
    (choice) => typeof choice === 'string' && choice !== API_KEY_SCHEME && choice !== SESSION_SCHEME,
  );
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  const problems = [
    ...unknown.map((name) => `there is no scheme "${String(name)}": name "api-key", "session" or a class`),
    ...twice.map((name) => `there are two schemes "${name}"`),
  ];
  if (problems.length > 0) throw new TypeError(`SandboxProxyModule cannot start: ${problems.join('; ')}`);
}
