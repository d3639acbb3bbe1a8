import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { contenders, launch } from '../contenders/contenders.mjs';
import { startUpstream } from '../upstream/start-upstream.mjs';
import { sandboxHost, sandboxId } from './identities.mjs';
import { insertDirectory, startPostgres } from './postgres.mjs';

const SANDBOXES = 1_000;

/** Starts what all loads share: upstream, and where our program takes part PostgreSQL with its schema and rows. */
export async function setStage(options, say) {
  const chosen = choose(contenders(), options.contenders);
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-bench-'));
  // PostgreSQL drops root's rights and still has to reach its own directory below.
  chmodSync(directory, 0o711);
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const stage = { directory, probes: join(directory, 'probes'), program: resolve(options.program) };
  if (options.before !== undefined) stage.before = resolve(options.before);
  mkdirSync(stage.probes);
  const numbers = Array.from({ length: SANDBOXES }, (_, i) => i + 1);
  stage.sandboxesFile = join(directory, 'sandboxes.txt');
  stage.hostsFile = join(directory, 'hosts.txt');
  writeFileSync(stage.sandboxesFile, `${numbers.map(sandboxId).join('\n')}\n`);
  writeFileSync(stage.hostsFile, `${numbers.map(sandboxHost).join('\n')}\n`);

  const upstream = await startUpstream();
  stage.upstreamPort = upstream.port;
  let next = SANDBOXES + 1;
  const takeSandboxes = (count) => (next += count) - count;
  const run = { stage, upstream, options, contenders: chosen, takeSandboxes };

  const ours = chosen.filter(({ id }) => id.startsWith('ours') || id === 'before');
  if (ours.length > 0 && !existsSync(stage.program)) {
    for (const contender of ours) contender.absent = `${options.program} is not built`;
  } else if (ours.length > 0) {
    run.postgres = await startPostgres(directory);
    stage.databaseUrl = run.postgres.url;
    // The first start makes the tables.
    const first = await launch(ours[0], stage);
    await first.stop();
    await insertDirectory(run.postgres.client, `127.0.0.1:${upstream.port}`, SANDBOXES);
    await run.postgres.client.query('ANALYZE');
  }
  for (const { label, absent } of chosen) if (absent !== undefined) say(`absent: ${label}: ${absent}`);
  return run;
}

function choose(all, wanted) {
  if (wanted === undefined) return all;
  const missing = wanted.filter((id) => !all.some((contender) => contender.id === id));
  if (missing.length > 0) {
    throw new Error(
      `no such contender: ${missing.join(', ')}; there are ${all.map(({ id }) => id).join(', ')}`,
    );
  }
  return all.filter(({ id }) => wanted.includes(id));
}
