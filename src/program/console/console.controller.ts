import { readFileSync } from 'node:fs';
import { applyDecorators, Controller, Get, Header } from '@nestjs/common';

/** The page runs its own script, wears its own style, talks to its own host, and is framed by nobody. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A route that answers GET with a text of this type, and with the headers that keep the page to itself. */
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
 * The page and its two files, without a credential: all that is secret comes from the API, for the key that the
 * person enters. Only on the API's own host: requests whose Host names a sandbox do not reach controllers.
 */
@Controller()
export class ConsoleController {
  private readonly html = read('console.html');
  private readonly css = read('console.css');
  private readonly javascript = read('console.js');

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

/** Beside this file in `src`, and in `dist`, where the build copies it (`assets` in nest-cli.json). */
function read(name: string): string {
  return readFileSync(new URL(`./public/${name}`, import.meta.url), 'utf8');
}
