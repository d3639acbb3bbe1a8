export * from '../kit/database.js';
