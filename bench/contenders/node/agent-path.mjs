const SANDBOX_HOST = /^(\d+)-(cl-[0-9a-z]+)\./;

/** Where every contender forwards to. */
export const UPSTREAM = process.env.BENCH_UPSTREAM;
/** Where it listens. */
export const PORT = Number(process.env.BENCH_PORT);

/** The request's path in the agent's form, from its Host header: `/proxy/cl-…/3000/path?query`. */
export function agentPath(request) {
  const match = SANDBOX_HOST.exec(request.headers.host);
  return match === null ? request.url : `/proxy/${match[2]}/${match[1]}${request.url}`;
}

/** Ends the program at once when it is told to. */
process.once('SIGTERM', () => process.exit(0));
