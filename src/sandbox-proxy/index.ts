/** Everything that code outside the module may import. */
export * from './contracts/access-log.js';
export * from './contracts/api-key-store.js';
export * from './contracts/change-feed.js';
export * from './contracts/changes.js';
export * from './contracts/credential-scheme.js';
export * from './contracts/maybe-promise.js';
export * from './contracts/port-settings.js';
export * from './contracts/sandbox-directory.js';
export * from './contracts/sandbox-ids.js';
export * from './contracts/sandbox-route-cache.js';
export * from './contracts/session-store.js';
export * from './error-status.js';
export * from './errors.js';
export { noteAdmitted, type Peer, Peers } from './address/peer.js';
export { LINK_PARAMETER } from './address/link-parameter.js';
export { ApiKeyService } from './admission/api-key.service.js';
export { HostClientPool } from './agent-client/host-client-pool.js';
export { RepeatedLines } from './memory/repeated-lines.js';
export { type CollectGarbage, collectUploads } from './node-internals/upload-memory.js';
export {
  type ListenerLimits,
  type ListenerProtection,
  protectListener,
} from './entrance/protect-listener.js';
export { SandboxProxyMiddleware } from './entrance/sandbox-proxy.middleware.js';
export { SandboxProxy, type SandboxProxyState } from './entrance/sandbox-proxy.service.js';
export { SandboxChanges } from './open-access/sandbox-changes.service.js';
export { type AgentTlsOptions, SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from './options.js';
export { MemorySandboxRouteCache } from './routing/sandbox-route-cache.js';
export { SandboxResolverService } from './routing/sandbox-resolver.service.js';
export {
  type SandboxProxyAsyncOptions,
  type SandboxProxyExtras,
  SandboxProxyModule,
  type SchemeChoice,
} from './sandbox-proxy.module.js';
