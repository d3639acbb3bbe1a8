export * from '../kit/program.js';
