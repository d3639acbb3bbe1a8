import { fileURLToPath } from 'node:url';
import { CORES, freePort, listening, start } from '../platform/processes.mjs';
import { goBinary } from '../platform/tools.mjs';

/** Starts the upstream: the Go program, or the Node one where Go is not installed. */
export async function startUpstream() {
  const port = await freePort();
  const { binary, absent } = goBinary('upstream/go', 'upstream');
  const program =
    absent === undefined
      ? { command: binary, args: ['-listen', `127.0.0.1:${port}`] }
      : {
          command: process.execPath,
          args: [fileURLToPath(new URL('upstream.mjs', import.meta.url)), String(port)],
        };
  const handle = start({ ...program, cores: CORES.load });
  await listening(handle, port);
  return { port, kind: absent === undefined ? 'Go' : `Node (${absent})`, handle };
}
