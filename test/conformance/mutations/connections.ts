import { fromRows, type Mutation } from './mutation.js';

const PARSER = 'http1/response-parser';
const HEAD = 'http1/response-head';
const FORWARDING = 'forwarding/forwarding';
const TUNNELS = 'forwarding/tunnels';
const POOL = 'upstream/sandbox-connections';
const CONNECTION = 'upstream/upstream-connection';

/** Pool, framing, ends and tunnels, broken one by one. */
export const connectionMutations: readonly Mutation[] = [
  ...fromRows([
    [
      'unasked-bytes-ignored',
      PARSER,
      "throw new ResponseSyntaxError('bytes that no request asked for');",
      'return length;',
      'pool/unasked',
    ],
    [
      'unoffered-protocol-passes',
      FORWARDING,
      "!isProtocolOffered(head, exchange.upgrade?.protocols ?? '')",
      'false',
      'odd-101-other-protocol',
    ],
    [
      'short-body-is-complete',
      PARSER,
      'if (this.state === CLOSE_BODY)',
      'if (this.state === CLOSE_BODY || this.state === LENGTH_BODY)',
      'broken/length',
    ],
    ['chunk-without-lf-passes', PARSER, 'if (byte !== LF)', 'if (false)', 'bad-upstream/HTTP/chunk'],
    [
      'both-framings-pass',
      HEAD,
      'if (isChunked && length !== -1)',
      'if (false)',
      'bad-upstream/HTTP/cl-te,bad-upstream/HTTP/te-cl',
    ],
    [
      'two-lengths-pass',
      HEAD,
      'if (length !== -1)\n                throw',
      'if (false)\n                throw',
      'bad-upstream/HTTP/two-lengths',
    ],
    [
      'odd-coding-down',
      HEAD,
      "!isNamed(rawHeaders[index + 1], 'chunked')",
      'false',
      'bad-upstream/HTTP/te-,bad-upstream/HTTP/chunk',
    ],
    [
      'close-ignored',
      HEAD,
      '!CLOSE_OPTION.test(rawHeaders[index + 1])',
      'true',
      'pool/connection-close-honoured',
    ],
    [
      'post-sent-twice',
      POOL,
      'call.request.hasBody || !SAFE_METHODS.has(call.request.method)',
      'false',
      'pool/dies-on-use',
    ],
    [
      'get-not-sent-again',
      CONNECTION,
      'const diedIdle = ',
      'const diedIdle = false && ',
      'pool/dies-on-use-GET',
    ],
    ['pool-unbounded', POOL, 'throw new SandboxBusyError();', 'void 0;', 'pool/bounded'],
    [
      'idle-unbounded',
      POOL,
      'this.idle.length >= this.options.maxIdlePerSandbox',
      'false',
      'pool/idle-bounded',
    ],
    ['no-first-byte-clock', POOL, 'nowMs >= connection.deadlineMs', 'false', 'errors/HTTP/upstream_timeout'],
    [
      'no-idle-clock',
      POOL,
      'nowMs - idle[0].idleSinceMs >= this.options.idleTimeoutMs',
      'false',
      'pool/idle-bounded',
    ],
    [
      'upgrade-on-a-pooled-connection',
      POOL,
      'isUpgrade ? undefined : this.idle.pop()',
      'this.idle.pop()',
      'pool/upgrade-on-its-own',
    ],
    ['abort-forgotten', 'upstream/upstream-call', 'this.current?.close();', '', 'broken/client-leaves'],
    ['cut-by-fin', FORWARDING, 'this.isFramed ?', 'true ?', 'broken/by-close,to-http1.0'],
    [
      'own-100-only',
      FORWARDING,
      'if (this.exchange.expectsContinue && !this.hasContinued)',
      'if (false)',
      'interim/expect-end-to-end',
    ],
    ['trailers-down-lost', FORWARDING, 'if (rawTrailers.length > 0)', 'if (false)', 'trailers/response-200'],
    [
      'hop-by-hop-on-103',
      FORWARDING,
      'const headers = clientHeaders(head, this.context);\n        for',
      'const headers = head.rawHeaders;\n        for',
      'interim/103-header-rules',
    ],
    ['half-close-cuts', 'forwarding/tunnel', 'other.end();', 'other.destroy();', 'half-close'],
    [
      'no-backpressure',
      'forwarding/tunnel',
      'if (mayGoOn)',
      'if (true)',
      'unread-flood-down-tunnel,unread-flood-up-tunnel',
    ],
    ['bytes-with-the-101-lost', TUNNELS, 'if (early.length > 0)', 'if (false)', 'bytes-with-the-101'],
    [
      'bytes-with-the-handshake-lost',
      TUNNELS,
      'if (held.length > 0)',
      'if (false)',
      'bytes-with-the-handshake',
    ],
    [
      'client-gone-before-101-unnoticed',
      'forwarding/upgrade-request',
      'this.socket.destroy();',
      '',
      'before-101',
    ],
    [
      'trailers-up-lost',
      'forwarding/request-body',
      'if (rawTrailers.length === 0)',
      'if (true)',
      'trailers/request-POST',
    ],
  ]),
  {
    name: 'pool-shared-between-sandboxes',
    file: 'sandbox-proxy/agent-client/host-client-pool.js',
    edits: [
      ['const known = this.current.get(sandboxId);', 'const known = this.current.get(origin.authority);'],
      ['this.current.set(sandboxId, connections);', 'this.current.set(origin.authority, connections);'],
    ],
    only: 'never-shared',
  },
];
