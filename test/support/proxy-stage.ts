export * from '../kit/proxy-stage.js';
