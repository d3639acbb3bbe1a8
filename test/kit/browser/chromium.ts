import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's; `CHROMIUM` names another. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Tests of a browser are skipped where there is none, and say so; not in CI, where nobody reads that: there they fail. */
export const HAS_NO_CHROMIUM = !existsSync(CHROMIUM) && process.env['CI'] === undefined;
if (HAS_NO_CHROMIUM) {
  console.warn(`no tests in a browser: there is no ${CHROMIUM}. apt-get install chromium, or set CHROMIUM`);
}

/** A browser without a window, for which the names of the tests lead to this machine, and that asks nobody else anything. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--ignore-certificate-errors',
      '--host-resolver-rules=MAP sandboxes.test 127.0.0.1, MAP *.sandboxes.test 127.0.0.1, MAP other-site.test 127.0.0.1',
    ],
  });
}
