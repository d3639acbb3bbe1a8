import { parseArgs } from 'node:util';
import { QUICK_CONTENDERS } from './contenders/contenders.mjs';
import { LOADS, QUICK_LOADS } from './measure/loads.mjs';

export const USAGE = `npm run bench -- [options]

  --quick               under a minute: GET small, ours and three others, two rounds
  --only a,b            these loads: ${LOADS.map(({ id }) => id).join(', ')}
  --contenders a,b      these contenders
  --rounds n            rounds, each of them one sample of every contender in turn (5)
  --seconds n           length of one sample of a load that runs for a time (4)
  --unknown n           distinct unknown sandbox ids (1000000)
  --idle-websockets n   idle WebSockets (5000)
  --program file        main.js of the built program (dist/src/main.js)
  --before file         main.js of another build of it, for a contender named before
  --publish             write table and chart to docs/benchmark too`;

/** What the command line asks for; ends the program where it asks for what there is not. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contenders: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      unknown: { type: 'string' },
      'idle-websockets': { type: 'string' },
      program: { type: 'string', default: 'dist/src/main.js' },
      before: { type: 'string' },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  const { quick } = values;
  const wanted = list(values.only) ?? (quick ? QUICK_LOADS : undefined);
  const missing = wanted?.filter((id) => !LOADS.some((load) => load.id === id)) ?? [];
  if (missing.length > 0) throw new Error(`no such load: ${missing.join(', ')}\n\n${USAGE}`);
  return {
    quick,
    loads: LOADS.filter(({ id }) => wanted === undefined || wanted.includes(id)),
    contenders: list(values.contenders) ?? (quick ? QUICK_CONTENDERS : undefined),
    rounds: count('rounds', values.rounds, quick ? 2 : 5),
    seconds: count('seconds', values.seconds, quick ? 2 : 4),
    warmUpSeconds: quick ? 2 : 3,
    unknown: count('unknown', values.unknown, quick ? 50_000 : 1_000_000),
    idleWebSockets: count('idle-websockets', values['idle-websockets'], quick ? 1_000 : 5_000),
    program: values.program,
    before: values.before,
    publish: values.publish,
  };
}

function list(text) {
  return text?.split(',').map((part) => part.trim());
}

function count(name, text, otherwise) {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} wants a whole number from 1, not ${text}`);
  return Number(text);
}
