// A process of its own: `attacker.mjs`, and then one message `{ flood, target }`, after which it floods until it is ended.
import { startAttackerApp } from './attacker-app.mjs';
import { FLOODS, HONEST } from './floods.mjs';

const app = await startAttackerApp();
process.send({ port: app.port });
process.on('message', ({ flood, target }) => {
  [HONEST, ...FLOODS].find(({ id }) => id === flood)?.run(target);
});
process.on('disconnect', () => process.exit());
