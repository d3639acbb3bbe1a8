export * from '../kit/platform-rows.js';
