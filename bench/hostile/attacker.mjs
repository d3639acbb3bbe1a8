// A process of its own: `attacker.mjs`, and then one message `{ flood, target }`, after which it floods until it is ended.
import { setPriority } from 'node:os';
import { startAttackerApp } from './attacker-app.mjs';
import { FLOODS, HONEST } from './floods.mjs';

// It shares its core with the client that is measured, which shall wait for the program and not for this.
setPriority(19);
const app = await startAttackerApp();
process.send({ port: app.port });
process.on('message', ({ flood, target }) => {
  [HONEST, ...FLOODS].find(({ id }) => id === flood)?.run(target);
});
process.on('disconnect', () => process.exit());
