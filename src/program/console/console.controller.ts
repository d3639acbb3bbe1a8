import { readFileSync } from 'node:fs';
import { PlatformOptions } from '../../platform/platform.options.js';
import { applyDecorators, Controller, Get, Header } from '@nestjs/common';

/** The page may use only its own script and style and talk only to its own host, and no page may frame it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A route that answers GET with a text of this type, and with headers that isolate the page from others. */
const Serves = (path: string, type: 'html' | 'css' | 'javascript') =>
  applyDecorators(
    Get(path),
    Header('Content-Type', `text/${type}; charset=utf-8`),
    Header('Cache-Control', type === 'html' ? 'no-store' : 'no-cache'),
    Header('Content-Security-Policy', CONTENT_SECURITY_POLICY),
    Header('Cross-Origin-Opener-Policy', 'same-origin'),
    Header('Cross-Origin-Resource-Policy', 'same-origin'),
    Header('Referrer-Policy', 'no-referrer'),
    Header('X-Content-Type-Options', 'nosniff'),
  );

/**
 * The page and its two files, without a credential: everything secret comes from the API, for the key that the person
 * enters. Only on the API's own host: requests whose Host header names a sandbox do not reach controllers.
 */
@Controller()
export class ConsoleController {
  private readonly html: string;
  private readonly css = read('console.css');
  private readonly javascript = read('console.js');

  constructor({ linkMaxTtlSeconds }: PlatformOptions) {
    this.html = offeringUpTo(linkMaxTtlSeconds, read('console.html'));
  }

  @Serves('/', 'html')
  page(): string {
    return this.html;
  }

  @Serves('/console.css', 'css')
  style(): string {
    return this.css;
  }

  @Serves('/console.js', 'javascript')
  script(): string {
    return this.javascript;
  }
}

/** The page without the durations of links that the operator does not allow. */
function offeringUpTo(maxSeconds: number, html: string): string {
  return html.replace(/^ *<option value="(\d+)".*<\/option>\n/gm, (option, seconds) =>
    Number(seconds) <= maxSeconds ? option : '',
  );
}

/** The files are in `public/` beside this file, in `dist` too, where the build copies them (`assets` in nest-cli.json). */
function read(name: string): string {
  return readFileSync(new URL(`./public/${name}`, import.meta.url), 'utf8');
}
