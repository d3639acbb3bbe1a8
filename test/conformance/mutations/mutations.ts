type Edit = readonly [find: string, replace: string];

/** What is broken, what takes its place, parts of the names of the cases of which one must fail, and where needed the file. */
type Row =
  | readonly [name: string, find: string, replace: string, only: string, file?: string]
  | readonly [name: string, edits: readonly Edit[], only: string];

/** One small way to break the proxy on purpose, as text in the built program. */
export interface Mutation {
  readonly name: string;
  /** What stands exactly once in the built proxy, or in the built `file`, and what takes its place. */
  readonly edits: readonly Edit[];
  /** Parts of the names of cases, comma-separated: at least one of these cases must fail. */
  readonly only: string;
  /** Name of the file without its folder, where the text stands in others as well, or outside the proxy; else `''`. */
  readonly file: string;
}

const ROWS: readonly Row[] = [
  // Header rules left out one by one.
  [
    'key-goes-upstream',
    [
      ['credentials.resembles(value)', 'false'],
      ['value.includes(secret)', 'false'],
      ['credentials.isIn(value) || credentials.isIn(name)', 'false'],
    ],
    'credentials/GET-',
  ],
  [
    'key-in-another-header-goes-upstream',
    'credentials.isIn(value) || credentials.isIn(name)',
    'false',
    'never-upstream-other-header',
  ],
  ['own-cookie-goes-upstream', "!this.isOwn(pair.split('=', 1)[0]) &&", '', 'own-cookie-'],
  [
    'named-in-connection-goes-upstream',
    'dropped !== null && dropped.has(name.toLowerCase())',
    'false',
    'drops-named',
    'outbound-request',
  ],
  ['te-goes-upstream', "'TE: trailers\\r\\n'", '`TE: ${value}\\r\\n`', 'te-trailers-at-most'],
  ['forwarded-believed-from-anyone', 'if (!isPeerTrusted)', 'if (false)', 'overrides-x-forwarded-for'],
  ['no-forwarded-proto', 'if (!hasForwardedProto)', 'if (false)', 'app-host/HTTP/external'],
  ['no-forwarded-host', 'if (!hasForwardedHost)', 'if (false)', 'app-host/HTTP/external'],
  [
    'two-addresses-told',
    'pages !== null && TELLS_ADDRESS.test(lower)',
    'false',
    'app-host/HTTP/local-behind-a-proxy',
  ],
  [
    'origin-untranslated',
    'pages === null ? value : originForApp(value, pages)',
    'value',
    'app-host/HTTP/local',
  ],
  [
    'referer-untranslated',
    'pages === null ? withoutLink(value) : refererForApp(value, pages)',
    'value',
    'app-host/HTTP/local',
  ],
  ['impostor-is-the-app', "? origin : 'null'", '? origin : origin', 'app-host/HTTP/local-impostor'],
  [
    'allowed-origin-untranslated',
    'allowedOriginForClient(value, context.origin, pages)',
    'value',
    'app-host/allowed-origin',
  ],
  ['location-untranslated', 'locationForClient(value, pages)', 'value', 'app-host/location'],
  [
    'https-forced-for-ever',
    'head.status > 300 && pages !== null && isForcingHttps(',
    'false && isForcingHttps(',
    'app-host/forces-https',
  ],
  [
    'length-of-delete-lost',
    "if (request.framing === 'length')",
    "if (request.framing === 'length' && request.method !== 'DELETE')",
    'request-framing/DELETE',
  ],
  [
    'chunks-of-options-lost',
    "if (request.framing === 'chunked')",
    "if (request.framing === 'chunked' && request.method !== 'OPTIONS')",
    'request-framing/OPTIONS,CVE-2026-29057',
  ],
  [
    'every-upgrade-is-websocket',
    'Upgrade: ${request.upgrade}',
    'Upgrade: websocket',
    'websocket/other-protocol',
  ],
  ['client-host-goes-upstream', 'Host: ${request.authority}', 'Host: ${request.forwardedHost}', 'host-first'],
  [
    'client-chooses-request-id',
    'isPeerTrusted ? saidBy(request) : null',
    'saidBy(request)',
    'request-id-unique',
  ],
  ['keep-alive-goes-upstream', "['keep-alive', Field.HopByHop],", '', 'drops-keep-alive'],
  [
    'proxy-authorization-goes-upstream',
    "['proxy-authorization', Field.HopByHop],",
    '',
    'drops-proxy-authorization',
  ],
  ['x-sandbox-passes', "name.startsWith('x-sandbox-')", 'false', 'drops-x-sandbox'],
  [
    'underscores-not-folded',
    "lower.replaceAll('_', '-')",
    'lower',
    'drops-x-sandbox-underscore,overrides-x_forwarded',
  ],
  [
    'connection-case-sensitive',
    ".toLowerCase()\n        .split(',')",
    ".split(',')",
    'drops-named-odd-case',
    'field-names',
  ],
  ['forbidden-trailers-pass', 'FORBIDDEN_IN_TRAILERS.has(name.toLowerCase())', 'false', 'trailers/'],
  ['framing-trailers-pass', 'fieldOf(name) !== Field.Other ||', '', 'trailers/request-forbidden'],
  [
    'cookie-domain-kept',
    'narrowSetCookie(value, context.hostname, context.cookies)',
    'value',
    'cookies/200,cookies/101',
  ],
  [
    'location-prefix-kept',
    'withoutAgentPrefix(value, context.prefix, context.authority)',
    'value',
    'response-headers/location',
  ],
  ['error-mark-on-success-passes', 'head.status < 400 ||', '', 'agent-mark-only'],
  [
    'named-in-connection-goes-down',
    'dropped !== null && dropped.has(name.toLowerCase())',
    'false',
    'response-headers/ok/drops',
    'inbound-response',
  ],
  [
    'trailer-field-to-http10',
    "head.framing !== 'chunked' || !context.clientTakesChunks",
    'false',
    'trailers/response-',
  ],
  ['parent-domain-is-fine', 'domain !== hostname', '!hostname.endsWith(domain)', 'cookies/200/domain'],
  ['app-plants-our-cookie', "if (own.isOwn(parts[0].split('=', 1)[0]))", 'if (false)', 'cookies/200/plants'],
  ['heads-up-as-utf8', "this.socket.write(unsent, 'latin1')", 'this.socket.write(unsent)', 'intact-latin-1'],
  [
    'small-bodies-up-as-utf8',
    "before + chunk.toString('latin1') + after",
    'before + chunk.toString() + after',
    'request-framing/binary-body',
  ],
  [
    'switching-head-as-utf8',
    "switchingHead(head, headers), 'latin1'",
    'switchingHead(head, headers)',
    'response-headers/switch/intact',
  ],
  // Paths, hosts, admission and own answers, broken one by one.
  ['upper-case-dots-missed', '/%2e/gi', '/%2e/g', 'paths/HTTP/traversal'],
  ['backslash-missed', '/%2f|%5c|\\\\/i', '/%2f|%5c/i', 'paths/HTTP/traversal'],
  ['encoded-backslash-missed', '/%2f|%5c|\\\\/i', '/%2f|\\\\/i', 'paths/HTTP/traversal'],
  ['dots-not-resolved', 'if (!NEEDS_A_LOOK.test(target))', 'if (true)', 'paths/HTTP/traversal'],
  ['dots-climb-not', 'if (dots === 2)', 'if (false)', 'paths/HTTP/traversal'],
  ['fragment-passes', "target.includes('#')", 'false', 'paths/HTTP/refused-fragment'],
  ['query-lost-behind-dots', 'removeDotSegments(path) + query', 'removeDotSegments(path)', 'paths/HTTP/'],
  ['two-hosts', 'host !== null && (this.names.isOurs', 'false && (this.names.isOurs', 'hosts/HTTP/lines'],
  [
    'foreign-authority',
    'authority.toLowerCase() === host?.toLowerCase()',
    'true',
    'absolute-form-foreign,CVE-2026-44578',
  ],
  ['host-unanchored', '`^(\\\\d+)-(', '`(\\\\d+)-(', 'hosts/HTTP/not-ours'],
  [
    'domain-by-suffix',
    '!domains.includes(domain)',
    '!domains.some((one) => domain.endsWith(one))',
    'domains-limited,CVE-2026-55602',
  ],
  ['junk-behind-the-host', '(?::(\\d{0,5}))?$/', '(?::(\\d{0,5}))?/', 'hosts/HTTP/bad'],
  ['port-unchecked', 'port > 65_535', 'port > 99_999', 'hosts/HTTP/bad-port', 'sandbox-address'],
  ['h2c-is-upgraded', 'NEVER_UPGRADED.test(upgrade)', 'false', 'upgrade-to-another-http'],
  ['http10-is-upgraded', 'httpVersionMinor === 0 ||', '', 'websocket/http10'],
  ['any-version', 'request.httpVersionMajor !== 1', 'false', 'smuggling/version'],
  ['upgrade-with-a-body', "hasBody ? 'with body' : 'taken'", "'taken'", 'upgrade-body,CVE-2026-58055'],
  ['never-evicts', 'this.resolver.evict(sandboxId, teamId);', 'void 0;', 'pool/evicts-on'],
  ['odd-coding-passes', "coding.toLowerCase() !== 'chunked' ||", '', 'smuggling/te-'],
  [
    'any-team',
    ' AND s.team_id = q.team_id',
    '',
    'foreign-like-unknown,errors/HTTP/sandbox_not_found',
    'platform-directory',
  ],
  ['link-local-agent', "'169.254.0.0/16',", '', 'refused-link-local,refused-metadata'],
  ['loop-allowed', 'if (port === ownPort() && isOwnAddress(ip))', 'if (false)', 'refused-loop'],
  ['agent-path-allowed', '(\\/)?$/i', '(\\/.*)?$/i', 'agent-addresses/HTTP/refused-url'],
  ['body-read-after-401', 'response.shouldKeepAlive = false;', '', 'large-body-unread', 'answer'],
  ['no-policy-on-own-answers', "'Content-Security-Policy',\n    `", "'X-Nothing',\n    `", 'errors/HTTP'],
  [
    'own-answers-cached',
    "'no-store',\n    'X-Content",
    "'public',\n    'X-Content",
    'errors/HTTP/unauthorized',
  ],
  ['no-retry-after', 'if (retryAfter !== undefined)', 'if (false)', 'errors/HTTP/host_unavailable'],
  [
    'internal-address-told',
    "the sandbox's host does not answer",
    'connect ECONNREFUSED 10.0.0.1:80',
    'errors/HTTP/upstream_unreachable',
  ],
  [
    'not-running-is-400',
    'sandbox_not_running: 409',
    'sandbox_not_running: 400',
    'errors/HTTP/sandbox_not_running',
  ],
  // Pool, framing, ends and tunnels, broken one by one.
  [
    'unasked-bytes-ignored',
    "throw new ResponseSyntaxError('bytes that no request asked for');",
    'return length;',
    'pool/unasked',
  ],
  [
    'unoffered-protocol-passes',
    "!isProtocolOffered(head, exchange.upgrade?.protocols ?? '')",
    'false',
    'odd-101-other-protocol',
  ],
  [
    'short-body-is-complete',
    'if (this.state === CLOSE_BODY)',
    'if (this.state === CLOSE_BODY || this.state === LENGTH_BODY)',
    'broken/length',
  ],
  ['chunk-without-lf-passes', 'if (byte !== LF)', 'if (false)', 'bad-upstream/HTTP/chunk', 'response-parser'],
  [
    'both-framings-pass',
    'if (isChunked && length !== -1)',
    'if (false)',
    'bad-upstream/HTTP/cl-te,bad-upstream/HTTP/te-cl',
  ],
  [
    'two-lengths-pass',
    'if (length !== -1)\n                throw',
    'if (false)\n                throw',
    'bad-upstream/HTTP/two-lengths',
  ],
  [
    'odd-coding-down',
    "!isNamed(rawHeaders[index + 1], 'chunked')",
    'false',
    'bad-upstream/HTTP/te-,bad-upstream/HTTP/chunk',
  ],
  ['close-ignored', '!CLOSE_OPTION.test(rawHeaders[index + 1])', 'true', 'pool/connection-close-honoured'],
  ['post-sent-twice', '!hasBody && SAFE_METHODS.has(method)', 'true', 'pool/dies-on-use'],
  ['get-not-sent-again', 'const diedIdle = ', 'const diedIdle = false && ', 'pool/dies-on-use-GET'],
  ['pool-unbounded', 'throw new SandboxBusyError();', 'void 0;', 'pool/bounded'],
  ['idle-unbounded', 'this.idle.length >= this.options.maxIdlePerSandbox', 'false', 'pool/idle-bounded'],
  ['no-first-byte-clock', 'nowMs >= connection.deadlineMs', 'false', 'errors/HTTP/upstream_timeout'],
  ['no-idle-clock', 'nowMs >= idleUntilMs', 'false', 'pool/idle-bounded'],
  [
    'upgrade-on-a-pooled-connection',
    'isUpgrade ? undefined : this.takeIdle()',
    'this.takeIdle()',
    'pool/upgrade-on-its-own',
  ],
  ['abort-forgotten', 'this.current?.close();', '', 'broken/client-leaves'],
  ['cut-by-fin', 'this.isFramed ?', 'true ?', 'broken/by-close,to-http1.0'],
  ['own-100-only', 'if (this.exchange.expectsContinue)\n', 'if (false)\n', 'interim/expect-end-to-end'],
  ['trailers-down-lost', 'if (rawTrailers.length > 0)', 'if (false)', 'trailers/response-200'],
  [
    'hop-by-hop-on-103',
    'const headers = clientHeaders(head, this.context);\n        for',
    'const headers = head.rawHeaders;\n        for',
    'interim/103-header-rules',
  ],
  ['half-close-cuts', 'other.end();', 'other.destroy();', 'half-close'],
  ['no-backpressure', 'if (mayGoOn)', 'if (true)', 'unread-flood-down-tunnel,unread-flood-up-tunnel'],
  ['bytes-with-the-101-lost', 'if (early.length > 0)', 'if (false)', 'bytes-with-the-101'],
  ['bytes-with-the-handshake-lost', 'if (held.length > 0)', 'if (false)', 'bytes-with-the-handshake'],
  ['client-gone-before-101-unnoticed', 'this.socket.destroy();', '', 'before-101', 'upgrade-request'],
  ['trailers-up-lost', 'if (rawTrailers.length === 0)', 'if (true)', 'trailers/request-POST'],
  [
    'pool-shared-between-sandboxes',
    [
      ['const known = this.current.get(sandboxId);', 'const known = this.current.get(origin.authority);'],
      ['this.current.set(sandboxId, connections);', 'this.current.set(origin.authority, connections);'],
    ],
    'never-shared',
  ],
];

export const MUTATIONS: readonly Mutation[] = ROWS.map((row) => {
  if (row.length === 3) return { name: row[0], edits: row[1], only: row[2], file: '' };
  const [name, find, replace, only, file = ''] = row;
  return { name, edits: [[find, replace]], only, file };
});
