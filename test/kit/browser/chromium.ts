import { type Browser, chromium } from 'playwright-core';
import { isAbsent } from '../installed.js';

/** Debian's; `CHROMIUM` names another. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export const HAS_NO_CHROMIUM = isAbsent('chromium', CHROMIUM, '--version');

/** The names of the tests lead to this machine. */
const RESOLVER_RULES =
  'MAP sandboxes.test 127.0.0.1, MAP *.sandboxes.test 127.0.0.1, MAP other-site.test 127.0.0.1';

/** A browser without a window, that asks nobody for anything but the page it shows. @param resolverRules as Chromium's option has them */
export function launchChromium(resolverRules = RESOLVER_RULES): Promise<Browser> {
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
      `--host-resolver-rules=${resolverRules}`,
    ],
  });
}
