/** Values of HOST that are reached by a name below `localhost`, which curl and browsers resolve by themselves. */
const REACHED_BY_LOCALHOST = new Set(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::']);

/**
 * curl's arguments to open `port` of a sandbox from this machine: its URL, or, if that name does not lead here, a Host
 * header and our address. The caller adds the API key.
 *
 * @param ownUrl where the control plane listens, `http://127.0.0.1:8000`
 * @param urlTemplate `http://{port}-cl-….localhost:8000`
 */
export function curlTarget(
  { HOST, PUBLIC_URL }: { readonly HOST: string; readonly PUBLIC_URL?: string },
  ownUrl: string,
  urlTemplate: string,
  port: number,
): string {
  const url = urlTemplate.replace('{port}', String(port));
  const { hostname } = new URL(url);
  const leadsHere = hostname.endsWith('.localhost') && REACHED_BY_LOCALHOST.has(HOST);
  return leadsHere || PUBLIC_URL !== undefined ? `${url}/` : `-H 'Host: ${hostname}' ${ownUrl}/`;
}

/** `0.0.0.0`, 8000 -> `http://127.0.0.1:8000`; `::1` -> `http://[::1]:8000`. */
export function ownUrl(host: string, port: number): string {
  const address = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
