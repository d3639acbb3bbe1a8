import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BENCH = fileURLToPath(new URL('..', import.meta.url));

/** What the tool says about its version (some say it on stderr), or undefined where it is not installed. */
export function versionOf(tool, args) {
  const { status, error, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  // wrk has no option for it and ends with 1.
  return error === undefined && status !== 127 ? `${stdout}${stderr}`.trim() : undefined;
}

/**
 * Builds a Go program of the bench into bench/bin.
 *
 * @returns {{ binary: string, absent?: string }} `absent` says why there is none
 */
export function goBinary(source, name) {
  const binary = `${BENCH}bin/${name}`;
  if (versionOf('go', ['version']) === undefined) {
    return existsSync(binary) ? { binary } : { binary, absent: 'go is not installed' };
  }
  mkdirSync(`${BENCH}bin`, { recursive: true });
  try {
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    execFileSync('go', ['build', '-o', binary, '.'], { cwd: `${BENCH}${source}`, env, stdio: 'pipe' });
    return { binary };
  } catch (error) {
    return { binary, absent: `its build failed: ${String(error.stderr).trim()}` };
  }
}

/** The version of wrk, or undefined; without it the bench's own generator makes all loads. */
export function wrkVersion() {
  return versionOf('wrk', ['-v'])?.match(/wrk (\S+)/)?.[1];
}
