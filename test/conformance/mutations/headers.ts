import { fromRows, type Mutation } from './mutation.js';

const OUT = 'headers/outbound-request';
const NAMES = 'headers/field-names';
const IN = 'headers/inbound-response';

/** Header rules left out one by one. */
export const headerMutations: readonly Mutation[] = [
  {
    name: 'key-goes-upstream',
    file: 'sandbox-proxy/headers/outbound-request.js',
    edits: [
      ["value.toLowerCase().includes('wrn_')", 'false'],
      ['holdsPlatformKey(value) || holdsPlatformKey(name)', 'false'],
    ],
    only: 'credentials/GET-',
  },
  ...fromRows([
  [
    'key-in-another-header-goes-upstream',
    OUT,
    'holdsPlatformKey(value) || holdsPlatformKey(name)',
    'false',
    'never-upstream-other-header',
  ],
  ['own-cookie-goes-upstream', OUT, 'withoutSessionCookies(value)', 'value', 'own-cookie-'],
  [
    'named-in-connection-goes-upstream',
    OUT,
    'dropped !== null && dropped.has(name.toLowerCase())',
    'false',
    'drops-named',
  ],
  ['te-goes-upstream', OUT, "'TE: trailers\\r\\n'", '`TE: ${value}\\r\\n`', 'te-trailers-at-most'],
  ['forwarded-believed-from-anyone', OUT, 'if (!isPeerTrusted)', 'if (false)', 'overrides-x-forwarded-for'],
  ['no-forwarded-proto', OUT, 'if (!hasForwardedProto)', 'if (false)', 'request-headers/http/overrides'],
  ['no-forwarded-host', OUT, 'if (!hasForwardedHost)', 'if (false)', 'request-headers/http/overrides'],
  [
    'length-of-delete-lost',
    OUT,
    "if (request.framing === 'length')",
    "if (request.framing === 'length' && request.method !== 'DELETE')",
    'request-framing/DELETE',
  ],
  [
    'chunks-of-options-lost',
    OUT,
    "if (request.framing === 'chunked')",
    "if (request.framing === 'chunked' && request.method !== 'OPTIONS')",
    'request-framing/OPTIONS,CVE-2026-29057',
  ],
  [
    'every-upgrade-is-websocket',
    OUT,
    'Upgrade: ${request.upgrade}',
    'Upgrade: websocket',
    'websocket/other-protocol',
  ],
  [
    'client-host-goes-upstream',
    OUT,
    'Host: ${request.authority}',
    'Host: ${request.forwardedHost}',
    'host-first',
  ],
  ['client-chooses-request-id', OUT, 'isPeerTrusted && /^', '/^', 'request-id-unique'],
  ['keep-alive-goes-upstream', NAMES, "['keep-alive', Field.HopByHop],", '', 'drops-keep-alive'],
  [
    'proxy-authorization-goes-upstream',
    NAMES,
    "['proxy-authorization', Field.HopByHop],",
    '',
    'drops-proxy-authorization',
  ],
  ['x-sandbox-passes', NAMES, "name.startsWith('x-sandbox-')", 'false', 'drops-x-sandbox'],
  [
    'underscores-not-folded',
    NAMES,
    "lower.replaceAll('_', '-')",
    'lower',
    'drops-x-sandbox-underscore,overrides-x_forwarded',
  ],
  [
    'connection-case-sensitive',
    NAMES,
    ".toLowerCase()\n        .split(',')",
    ".split(',')",
    'drops-named-odd-case',
  ],
  ['forbidden-trailers-pass', NAMES, 'FORBIDDEN_IN_TRAILERS.has(name.toLowerCase())', 'false', 'trailers/'],
  ['framing-trailers-pass', NAMES, 'fieldOf(name) !== Field.Other ||', '', 'trailers/request-forbidden'],
  ['cookie-domain-kept', IN, 'narrowSetCookie(value, context.hostname)', 'value', 'cookies/200,cookies/101'],
  [
    'location-prefix-kept',
    IN,
    'withoutAgentPrefix(value, context.prefix, context.authority)',
    'value',
    'response-headers/location',
  ],
  ['error-mark-on-success-passes', IN, 'head.status < 400 ||', '', 'agent-mark-only'],
  [
    'named-in-connection-goes-down',
    IN,
    'dropped !== null && dropped.has(name.toLowerCase())',
    'false',
    'response-headers/ok/drops',
  ],
  [
    'trailer-field-to-http10',
    IN,
    "head.framing !== 'chunked' || !context.clientTakesChunks",
    'false',
    'trailers/response-',
  ],
  [
    'parent-domain-is-fine',
    'headers/set-cookie',
    'domain !== hostname',
    '!hostname.endsWith(domain)',
    'cookies/200/domain',
  ],
  [
    'app-plants-our-cookie',
    'headers/set-cookie',
    "if (isSessionCookie(parts[0].split('=', 1)[0]))",
    'if (false)',
    'cookies/200/plants',
  ],
  [
    'heads-up-as-utf8',
    'upstream/upstream-connection',
    "this.socket.write(request.head, 'latin1')",
    'this.socket.write(request.head)',
    'intact-latin-1',
  ],
  [
    'switching-head-as-utf8',
    'forwarding/tunnels',
    "switchingHead(head, headers), 'latin1'",
    'switchingHead(head, headers)',
    'response-headers/switch/intact',
  ],
]),
];
