/**
 * Real programs through the built proxy: curl, wrk, Python's http.client and websockets, the ws package, Chromium.
 * One line per check; a program that is not on this machine is named. `npm run conformance -- --peers [--program main.js]`
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { within } from '../harness/check.js';
import { Platform, sandboxId } from '../harness/platform.js';
import { Application } from './application.js';
import { commandLinePeers } from './command-line.js';
import { wsPeer } from './ws.js';

const { values: options } = parseArgs({
  options: { program: { type: 'string' }, peers: { type: 'boolean' } },
});
let repository = import.meta.dirname;
while (!existsSync(join(repository, 'package.json'))) repository = dirname(repository);
const platform = await Platform.start(
  repository,
  resolve(options.program ?? join(repository, 'dist/src/main.js')),
);
const application = await Application.start();
let [passed, failed] = [0, 0];
try {
  const { port } = await platform.program('default');
  const { uuid } = await platform.addSandbox(platform.teams.a, application.address, 'running');
  const target = { host: `3000-${sandboxId(uuid)}.localhost`, port, key: platform.teams.a.key };
  for (const peer of [...commandLinePeers, wsPeer]) {
    const absent = await peer.absent();
    if (absent !== null) {
      console.log(`absent ${peer.name} — ${absent}`);
      continue;
    }
    const checks = await within(peer.checks(target), 60_000, peer.name).catch((error: Error) => [
      ['all', error.message] as const,
    ]);
    for (const [name, wrong] of checks) {
      if (wrong === null) passed += 1;
      else failed += 1;
      console.log(
        wrong === null
          ? `ok   ${peer.name}: ${name}`
          : `FAIL ${peer.name}: ${name} : ${wrong.replaceAll('\n', ' ')}`,
      );
    }
  }
} finally {
  application.close();
  await platform.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
