/** The platform's tables behind the contracts of the sandbox proxy, for another application that has these tables. */
export { MIGRATIONS as PLATFORM_MIGRATIONS } from '../database/migrations/index.js';
export { PLATFORM_CONTRACTS, ProxyAdapterModule, type ProxyAdapterOptions } from './proxy-adapter.module.js';
