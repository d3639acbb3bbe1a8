import { fromRows, type Mutation } from './mutation.js';

const PATH = 'forwarding/outbound-path';
const HOST = 'doors/sandbox-host';
const ADDRESS = 'doors/sandbox-address';
const UPGRADE = 'doors/sandbox-upgrade.listener';
const AGENT = 'upstream/agent-address';
const SERVICE = 'sandbox-proxy.service';

/** Paths, hosts, admission and own answers, broken one by one. */
export const doorMutations: readonly Mutation[] = [
  ...fromRows([
    ['upper-case-dots-missed', PATH, '/%2e/gi', '/%2e/g', 'paths/HTTP/traversal'],
    ['backslash-missed', PATH, '/%2f|%5c|\\\\/i', '/%2f|%5c/i', 'paths/HTTP/traversal'],
    ['encoded-backslash-missed', PATH, '/%2f|%5c|\\\\/i', '/%2f|\\\\/i', 'paths/HTTP/traversal'],
    ['dots-not-resolved', PATH, 'if (!NEEDS_A_LOOK.test(target))', 'if (true)', 'paths/HTTP/traversal'],
    ['dots-climb-not', PATH, 'if (dots === 2)', 'if (false)', 'paths/HTTP/traversal'],
    ['fragment-passes', PATH, "target.includes('#')", 'false', 'paths/HTTP/refused-fragment'],
    [
      'query-lost-behind-dots',
      PATH,
      'removeDotSegments(path) + query',
      'removeDotSegments(path)',
      'paths/HTTP/',
    ],
    ['two-hosts', HOST, 'if (host !== null)\n', 'if (false)\n', 'hosts/HTTP/lines'],
    [
      'foreign-authority',
      HOST,
      'authority.toLowerCase() === host?.toLowerCase()',
      'true',
      'absolute-form-foreign,CVE-2026-44578',
    ],
    ['host-unanchored', ADDRESS, '/^(\\d+)-(cl-', '/(\\d+)-(cl-', 'hosts/HTTP/not-ours'],
    [
      'domain-by-suffix',
      ADDRESS,
      '!domains.includes(domain)',
      '!domains.some((one) => domain.endsWith(one))',
      'domains-limited,CVE-2026-55602',
    ],
    ['junk-behind-the-host', ADDRESS, '(?::\\d{0,5})?$/', '(?::\\d{0,5})?/', 'hosts/HTTP/bad'],
    ['port-unchecked', ADDRESS, 'port > 65_535', 'port > 99_999', 'hosts/HTTP/bad-port'],
    ['h2c-is-upgraded', UPGRADE, 'NEVER_UPGRADED.test(protocols)', 'false', 'upgrade-to-another-http'],
    ['http10-is-upgraded', UPGRADE, 'request.httpVersionMinor === 0 ||', '', 'websocket/http10'],
    ['any-version', SERVICE, 'request.httpVersionMajor !== 1', 'false', 'smuggling/version'],
    [
      'upgrade-with-a-body',
      SERVICE,
      "upgrade !== null && (framing === 'chunked'",
      "false && (framing === 'chunked'",
      'upgrade-body,CVE-2026-58055',
    ],
    ['never-evicts', SERVICE, 'this.resolver.evict(sandboxId, teamId);', '', 'pool/evicts-on'],
    [
      'odd-coding-passes',
      'forwarding/request-body',
      "coding.toLowerCase() !== 'chunked' ||",
      '',
      'smuggling/te-',
    ],
    [
      'any-team',
      'resolver/sandbox-directory',
      ' AND sandbox.team_id = :teamId',
      ' AND :teamId::uuid IS NOT NULL',
      'foreign-like-unknown,errors/HTTP/sandbox_not_found',
    ],
    ['link-local-agent', AGENT, "'169.254.0.0/16',", '', 'refused-link-local,refused-metadata'],
    ['loop-allowed', AGENT, 'if (port === ownPort() && isOwnAddress(ip))', 'if (false)', 'refused-loop'],
    ['agent-path-allowed', AGENT, '(\\/)?$/i', '(\\/.*)?$/i', 'agent-addresses/HTTP/refused-url'],
    [
      'body-read-after-401',
      'answers/proxy-answer',
      'response.shouldKeepAlive = false;',
      '',
      'large-body-unread',
    ],
    [
      'no-policy-on-own-answers',
      'answers/proxy-answer',
      "'Content-Security-Policy',",
      "'X-Nothing',",
      'errors/HTTP',
    ],
    [
      'own-answers-cached',
      'answers/proxy-answer',
      "'no-store',\n    'X-Content",
      "'public',\n    'X-Content",
      'errors/HTTP/unauthorized',
    ],
    [
      'no-retry-after',
      'answers/proxy-answer',
      'if (retryAfter !== undefined)',
      'if (false)',
      'errors/HTTP/host_unavailable',
    ],
    [
      'internal-address-told',
      'sandbox-proxy.errors',
      "the sandbox's host does not answer",
      'connect ECONNREFUSED 10.0.0.1:80',
      'errors/HTTP/upstream_unreachable',
    ],
  ]),
  {
    name: 'not-running-is-400',
    file: 'platform/errors/error-status.js',
    edits: [['sandbox_not_running: 409', 'sandbox_not_running: 400']],
    only: 'errors/HTTP/sandbox_not_running',
  },
];
