export * from '../kit/echo-agent.js';
