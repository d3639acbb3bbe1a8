export * from '../kit/first-start.js';
