import { expect } from 'vitest';
import { SETTINGS, type SettingsName } from './platform.js';
import { onPlatform } from './test.js';

// Runs after all other files: vitest.config.ts says so.
for (const name of Object.keys(SETTINGS) as SettingsName[]) {
  onPlatform(
    `process/${name}-alive — the process that was started is still the one that runs`,
    async ({ platform }) => {
      expect((await platform.program(name)).isRunning).toBe(true);
    },
  );

  onPlatform(`process/${name}-healthy — /healthz answers 200 after everything`, async ({ platform }) => {
    const { port } = await platform.program(name);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  onPlatform(
    `process/${name}-no-key-in-log — no platform key is in the log [CWE-532]`,
    async ({ platform }) => {
      const { output } = await platform.program(name);
      for (const { key } of Object.values(platform.teams)) expect(output).not.toContain(key);
    },
  );

  onPlatform(
    `process/${name}-no-stack-in-log — no uncaught exception is in the log [CWE-248]`,
    async ({ platform }) => {
      const { output } = await platform.program(name);
      expect(output).not.toMatch(/uncaught|unhandled|RangeError|TypeError|ERR_INVALID|ERR_HTTP_/i);
    },
  );

  onPlatform(
    `process/${name}-log-lines-whole — every line of the log is one JSON object [CWE-117]`,
    async ({ platform }) => {
      for (const line of (await platform.program(name)).output.split('\n')) {
        expect(line).not.toMatch(/^forged-line/);
        if (line.startsWith('{')) expect(() => JSON.parse(line) as unknown, line).not.toThrow();
      }
    },
  );
}
