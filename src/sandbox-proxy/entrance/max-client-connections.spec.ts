import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { maxConnectionsPerSide } from '../agent-client/descriptor-limit.js';
import { maxClientConnections } from './max-client-connections.js';

const MIB = 2 ** 20;

it('client connections are bounded by the memory that this process has for itself', () => {
  expect(maxClientConnections(1, 64 * MIB)).toBe(256);
  expect(maxClientConnections(4, 64 * MIB)).toBe(64);
});

it('by the descriptors, where these are fewer', () => {
  expect(maxClientConnections(1, 1e15)).toBe(maxConnectionsPerSide());
});

it('by the memory of the machine, where its container has no limit', () => {
  expect(maxClientConnections(1_000)).toBe(Math.floor(totalmem() / 1_000 / (MIB / 4)));
});
