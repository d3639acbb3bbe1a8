/**
 * A `Location` as the app meant it, without the agent's `/proxy/{id}/{port}` prefix: `/proxy/cl-…/3000/login?x` ->
 * `/login?x`. The agent may also have made it absolute, with its own address. Any other value is returned as it is.
 *
 * @param prefix `/proxy/{id}/{port}`
 * @param authority the agent's own `address:port`
 */
export function withoutAgentPrefix(location: string, prefix: string, authority: string): string {
  let path = location;
  if (!location.startsWith('/')) {
    const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(location);
    if (absolute === null || (absolute[1] as string).toLowerCase() !== authority.toLowerCase())
      return location;
    path = absolute[2] as string;
  }
  if (!path.startsWith(prefix)) return location;
  const rest = path.slice(prefix.length);
  if (rest === '') return '/';
  if (rest.startsWith('/')) return rest;
  return rest.startsWith('?') || rest.startsWith('#') ? `/${rest}` : location;
}
