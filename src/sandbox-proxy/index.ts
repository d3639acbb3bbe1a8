/** All that others may import of the sandbox proxy. */
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
