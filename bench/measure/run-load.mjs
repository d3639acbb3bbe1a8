import { launch } from '../contenders/contenders.mjs';
import { processTree } from './process-tree.mjs';
import { summarize } from './statistics.mjs';
import { verify } from './verify.mjs';

/** After so many a contender is left out of the load. */
const MOST_ERRORS = 2;

/**
 * Measures one load: rounds of one sample of every contender in turn.
 *
 * @returns {Promise<{ id: string, title: string, unit: string, columns: string[],
 *   contenders: Record<string, { samples: object[], summary: object, errors: string[] }> }>}
 */
export async function runLoad(load, run, say) {
  const taking = run.contenders.filter((contender) => takesPart(load, contender));
  const measurements = Object.fromEntries(taking.map(({ id }) => [id, { samples: [], errors: [] }]));
  const targets = new Map();
  const rounds = Math.min(run.options.rounds, load.rounds ?? Infinity);
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of taking) {
      const measurement = measurements[contender.id];
      if (measurement.errors.length >= MOST_ERRORS) continue;
      const place = `${load.id}  round ${round}/${rounds}  ${contender.id.padEnd(16)}`;
      let isSpent = load.fresh === true;
      try {
        const target = targets.get(contender.id) ?? (await prepare(load, contender, run));
        targets.set(contender.id, target);
        const sample = { round, ...(await load.sample(target, run)) };
        measurement.samples.push(sample);
        say(place + brief(sample));
      } catch (error) {
        isSpent = true;
        measurement.errors.push(error.message);
        say(`${place}failed: ${error.message}`);
      }
      if (isSpent) {
        await targets.get(contender.id)?.stop();
        targets.delete(contender.id);
      }
    }
  }
  for (const target of targets.values()) await target.stop();
  for (const measurement of Object.values(measurements)) measurement.summary = summarize(measurement.samples);
  const { id, title, unit, columns } = load;
  return { id, title, unit, columns, contenders: measurements };
}

function takesPart(load, { id, absent, upgrades, dual }) {
  if (absent !== undefined) return false;
  if (Array.isArray(load.contenders)) return load.contenders.includes(id);
  if (load.contenders === 'all') return true;
  if (id === 'floor' || dual === true) return false;
  return load.contenders === 'proxies' || upgrades;
}

async function prepare(load, contender, run) {
  const target = await launch(contender, run.stage, {
    ...(load.env === undefined ? {} : { env: load.env }),
    ...(load.probe === true ? { probe: run.stage.probes } : {}),
  });
  try {
    await verify(target);
    if (contender.children !== undefined && processTree(target.pid).length <= contender.children) {
      throw new Error(`it did not start ${contender.children} processes`);
    }
    await load.warmUp(target, run);
  } catch (error) {
    await target.stop();
    throw error;
  }
  return target;
}

function brief(sample) {
  return Object.entries(sample)
    .filter(([name, value]) => name !== 'round' && typeof value !== 'object')
    .map(([name, value]) => `${name}=${typeof value === 'number' ? Math.round(value * 100) / 100 : value}`)
    .join(' ');
}
