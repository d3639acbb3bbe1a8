export * from '../kit/tcp-relay.js';
