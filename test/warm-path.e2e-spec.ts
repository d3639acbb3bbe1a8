import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { EMPTY_OK, ProxyStage } from './kit/proxy-stage.js';

// A reader who wants to know what happens to a request has to read the files that it passes. There should be few.

/** Files of the module whose functions a GET with a key passes, once memory knows all that it needs. */
const MOST_FILES = 44;

const wasCalled = ({ ranges }: { ranges: { count: number }[] }) => (ranges[0]?.count ?? 0) > 0;

const MODULE = fileURLToPath(new URL('../src/sandbox-proxy/', import.meta.url));

const stage = new ProxyStage();

it(`a warm GET passes at most ${MOST_FILES} files`, async () => {
  const { client, upstream } = await stage.begin(stage.head('GET', '/'));
  const answer = async (): Promise<void> => {
    upstream.send(EMPTY_OK);
    await client.head();
  };
  await answer();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  client.send(stage.head('GET', '/'));
  await upstream.head();
  await answer();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const passed = result
    // a function without a name is one that the test runner has made of an export, or is called by one with a name
    .filter(({ functions }) => functions.some((each) => each.functionName !== '' && wasCalled(each)))
    .map(({ url }) => (url.startsWith('file:') ? fileURLToPath(url) : url).split('?', 1)[0] as string)
    .filter((path) => path.startsWith(MODULE))
    .map((path) => path.slice(MODULE.length))
    .filter((path) => !path.startsWith('node-internals/') && !path.endsWith('.spec.ts'));
  const files = [...new Set(passed)].toSorted();
  expect(files).toContain('handle-request.ts');
  expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST_FILES);
});
