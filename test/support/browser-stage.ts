export * from '../kit/browser-stage.js';
