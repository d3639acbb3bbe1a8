export * from '../kit/api-client.js';
