import { totalmem } from 'node:os';
import { maxConnectionsPerSide } from '../agent-client/descriptor-limit.js';

/**
 * Twice what a connection costs at worst: 110 KiB for one with a whole body for the API under way, 70 KiB for one whose
 * answer is not read, 53 KiB for one with half a head (Node 20.20, 2026-12).
 */
const CONNECTION_BYTES = 262_144;

/**
 * Most client connections, where nobody says otherwise: within the descriptors of this process and its share of the memory.
 *
 * @param processes how many share the memory
 */
export function maxClientConnections(processes: number, memoryBytes = allMemoryBytes()): number {
  return Math.min(maxConnectionsPerSide(), Math.floor(memoryBytes / processes / CONNECTION_BYTES));
}

/** Of the container, or of the machine: Node says 0, or far more than there is, where a container has no limit. */
function allMemoryBytes(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem());
}
