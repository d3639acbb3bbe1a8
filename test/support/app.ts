export * from '../kit/app.js';
