/**
 * How an app sees itself where its port's `appHost` is `local`: `http://localhost:3000`. That is the Host that the agent
 * sends, and what an app compares `Origin` and `Referer` with.
 */
export class AppAddress {
  private readonly form: RegExp;
  private readonly secureForm: RegExp;
  /** Requests for one port come in runs. */
  private lastPort = 0;
  private lastOrigin = '';

  /** @param host that agents send to apps, with `{port}` for the port, e.g. `localhost:{port}`; `''`: it is not known */
  constructor(private readonly host: string) {
    const name = host.replace(/:\{port\}$/, '');
    const isWithPort = name !== host;
    const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const port = isWithPort ? '(?::(\\d{1,5}))?' : '()';
    this.form = new RegExp(`^http://${escaped}${port}(?=[/?#]|$)`, 'i');
    this.secureForm = new RegExp(`^https://${escaped}(?::\\d{1,5})?(?=[/?#]|$)`, 'i');
  }

  get isKnown(): boolean {
    return this.host !== '';
  }

  /** The origin of the app on that port; as in browsers, without the port where that is 80. */
  originAt(port: number): string {
    if (port === this.lastPort) return this.lastOrigin;
    this.lastPort = port;
    this.lastOrigin = this.makeOrigin(port);
    return this.lastOrigin;
  }

  private makeOrigin(port: number): string {
    return `http://${port === 80 ? this.host.replace(/:\{port\}$/, '') : this.host.replace('{port}', String(port))}`;
  }

  /**
   * Takes an address of this form apart: `http://localhost:3000/a?b` -> port 3000, `/a?b`.
   *
   * @param ownPort which port it is where the form says none
   * @returns null for any other address
   */
  parse(url: string, ownPort: number): { readonly port: number; readonly rest: string } | null {
    if (!this.isKnown) return null;
    const match = this.form.exec(url);
    if (match === null) return null;
    const port = match[1] === '' ? ownPort : Number(match[1] ?? 80);
    return { port, rest: url.slice(match[0].length) };
  }

  /** What follows `https://localhost:3000` in an address that begins so; null for any other. */
  restOfSecure(url: string): string | null {
    const match = this.isKnown ? this.secureForm.exec(url) : null;
    return match === null ? null : url.slice(match[0].length);
  }
}
