import type { GeneratedResponse } from './response-generator.js';
import type { Outcome } from './response-readers.js';

/** A way in which our parser is meant to read a response differently from Node's (llhttp 9, strict). */
export interface KnownDifference {
  readonly name: string;
  /** Why ours is right to differ. */
  readonly reason: string;
  applies(response: GeneratedResponse, ours: Outcome, node: Outcome): boolean;
}

interface Head {
  version: string;
  status: number;
  reason: string;
  fields: [name: string, value: string][];
}

/** Reads back a head as described by the readers. */
function readHead(described: string): Head {
  const [line = '', ...flat] = described.split('\n');
  const match = /^(\S+) (\d+) (.*)$/s.exec(line);
  const fields: Head['fields'] = [];
  for (let index = 0; index < flat.length; index += 2) {
    if (flat[index] !== '') fields.push([flat[index]!.toLowerCase(), flat[index + 1] ?? '']);
  }
  return { version: match?.[1] ?? '', status: Number(match?.[2]), reason: match?.[3] ?? '', fields };
}

function heads(outcome: Outcome): Head[] {
  return outcome.heads.map((head) => readHead(head));
}

function values(head: Head, name: string): string[] {
  return head.fields.filter((field) => field[0] === name).map((field) => field[1]);
}

function isClosing(head: Head, name = 'connection'): boolean {
  return values(head, name).some((value) => /(^|,)[ \t]*close[ \t]*(,|$)/i.test(value));
}

/** Bytes in lines that can be chunk sizes with their extensions. */
function framingBytes(text: string): number {
  let bytes = 0;
  for (const [line] of text.matchAll(/^[0-9a-f]+(?:;.*)?$/gim)) bytes += line.length;
  return bytes;
}

/** A difference where ours refuses with `why` what Node lets pass, and what Node saw explains it. */
function refusal(
  name: string,
  why: string,
  reason: string,
  explains: (node: Outcome, text: string) => boolean,
): KnownDifference {
  return {
    name,
    reason,
    applies: ({ text }, ours, node) =>
      ours.verdict === 'rejected' && node.verdict !== 'rejected' && ours.why === why && explains(node, text),
  };
}

const REFUSALS: readonly KnownDifference[] = [
  refusal(
    'Transfer-Encoding in HTTP/1.0',
    'Transfer-Encoding in HTTP/1.0',
    'RFC 9112 6.1: framing to be treated as faulty',
    (node) =>
      heads(node).some((head) => head.version === '1.0' && values(head, 'transfer-encoding').length > 0),
  ),
  refusal(
    'Transfer-Encoding other than one chunked',
    'Transfer-Encoding other than chunked',
    'a coding list or a repeated line is read differently by different readers; an agent has no need for one',
    (node) =>
      heads(node).some((head) => {
        const codings = values(head, 'transfer-encoding');
        return codings.length > 1 || (codings[0] !== undefined && codings[0].toLowerCase() !== 'chunked');
      }),
  ),
  refusal(
    'unasked 101',
    '101 to a request that asked for no upgrade',
    'RFC 9110 15.2.2: only an answer to Upgrade; Node leaves it to the http client',
    (node) => node.verdict === 'upgraded',
  ),
  refusal(
    'status line',
    'not an HTTP/1 status line',
    'Node skips line ends before it and takes RTSP, ICE, versions 0.9 and 2.0, and statuses below 100; RFC 9112 4 has none of them',
    (node, text) =>
      /^[\r\n]|\n\r\n[\r\n]/.test(text) ||
      /(?:^|\n\r\n)(?:I|R|HTTP\/[^1]|HTTP\/1\.[01] 0)/.test(text) ||
      heads(node).some((head) => !/^1\.[01]$/.test(head.version) || head.status < 100),
  ),
  refusal(
    'control character in the reason phrase',
    'control character in a value or reason',
    'RFC 9112 4: HTAB, SP, VCHAR and obs-text only; Node checks for CR and LF alone',
    (_, text) => /HTTP\/1\.[01] \d{3} [^\r\n]*[^\t\r\n\x20-\x7e\x80-\xff]/.test(text),
  ),
  refusal(
    'CR without LF after the status line',
    'CR without LF',
    'RFC 9112 2.2: a bare CR is invalid; llhttp 9.3.1 takes one there for a line end',
    (_, text) => /HTTP\/1\.[01] \d{3}[^\r\n]*\r(?!\n)/.test(text),
  ),
  refusal(
    'Content-Length above 2^53-1',
    'invalid Content-Length',
    'not countable in a JavaScript number, and 16 digits at most; Node counts to 2^64-1',
    (node) =>
      heads(node).some((head) =>
        values(head, 'content-length').some(
          (value) => value.length > 16 || Number(value) > Number.MAX_SAFE_INTEGER,
        ),
      ),
  ),
  refusal(
    'chunk size above 2^53-1 or of more than 16 digits',
    'chunk size out of range',
    'as for Content-Length; Node counts to 2^64-1 with any number of leading zeros',
    (_, text) => /\n(?:[0-9a-f]{17}|0*(?:[2-9a-f][0-9a-f]{13}|[0-9a-f]{15}))/i.test(text),
  ),
  refusal(
    'chunk extension without a name',
    'bad chunk extension',
    'RFC 9112 7.1.1: a name is a token; Node lets it be empty',
    (_, text) => /\n[0-9a-f]+;[^\n]*/i.test(text) && /;(?:=|;|\r)|=(?:;|\r)/.test(text),
  ),
  refusal(
    'more than 1000 fields',
    'too many fields',
    'bounded work; Node bounds the bytes alone',
    (_, text) => (text.match(/\n/g) ?? []).length > 1000,
  ),
  refusal(
    'size of head or trailers',
    'head or trailer section too large',
    'all heads of a response 64 KiB together, trailers 16 KiB; Node counts each head on its own and without its punctuation',
    (_, text) => text.length > 16 * 1024,
  ),
  refusal(
    'more than 100 informational responses',
    'too many interim responses',
    'they would hold a request for ever; Node has no bound',
    (node) => node.heads.length > 100,
  ),
  refusal(
    'chunk extension above 1 KiB',
    'chunk extension too big',
    'nobody reads them; Node takes 16 KiB',
    (_, text) => /;[^\n]{1024}/.test(text),
  ),
  refusal(
    'framing that costs more than it carries',
    'too much chunk framing',
    'CVE-2023-39326: 16 KiB beyond what the data is worth, as in Go; Node bounds each chunk alone',
    (_, text) => framingBytes(text) > 16 * 1024,
  ),
];

const OTHERS: readonly KnownDifference[] = [
  {
    name: 'HTAB around a length or a coding',
    reason:
      'RFC 9110 5.5: trimmed like SP; Node refuses the length and takes the coding for another one, reading up to the close',
    applies: ({ text }, _, node) =>
      /\ncontent-length:[^\r\n]*\t[^\r\n]*\r/i.test(text)
        ? node.why.startsWith('HPE_INVALID_CONTENT_LENGTH')
        : node.verdict !== 'rejected' && /\ntransfer-encoding:[^\r\n]*\t[^\r\n]*\r/i.test(text),
  },
  {
    name: 'informational head that ends the connection',
    reason:
      'Node refuses what follows a 1xx with close or in HTTP/1.0; ours reads the final response and does not reuse the connection',
    applies: (_, ours, node) =>
      ours.verdict !== 'rejected' &&
      node.why.startsWith('HPE_CLOSED_CONNECTION') &&
      heads(ours).some(
        (head) =>
          head.status < 200 &&
          (((head.version === '1.0' || isClosing(head)) && !ours.keepAlive) ||
            isClosing(head, 'proxy-connection')),
      ),
  },
  {
    name: 'framing fields as trailers',
    reason:
      'RFC 9110 6.5.1: they have no meaning there; handed over as any other, for the header rules to drop',
    applies: ({ text }, ours, node) =>
      ours.verdict !== 'rejected' &&
      /^HPE_INVALID_(CONTENT_LENGTH|TRANSFER_ENCODING)/.test(node.why) &&
      /\n0+(?:;[^\n]*)?\r\n(?:[^\n]+\n)*(?:content-length|transfer-encoding)/i.test(text),
  },
  {
    name: 'refused before the line is whole',
    reason:
      'both refuse: Node at the first odd byte of a length, a coding or a chunk extension, ours at the end of the head or line',
    applies: (_, ours, node) =>
      ours.verdict === 'truncated' &&
      /^HPE_(?:(?:INVALID|UNEXPECTED)_CONTENT_LENGTH|INVALID_TRANSFER_ENCODING|STRICT: Invalid character in chunk extensions)/.test(
        node.why,
      ),
  },
  {
    name: 'kept alive after HEAD',
    reason:
      'RFC 9112 6.3: the response to HEAD ends with its head; Node judges before it knows of the method',
    applies: ({ method }, ours, node) => method === 'HEAD' && ours.keepAlive && !node.keepAlive,
  },
  {
    name: 'Proxy-Connection ignored',
    reason: 'RFC 9112 C.2.2: not to be acted on; Node reads it as Connection',
    applies: (_, ours, node) =>
      ours.keepAlive &&
      !node.keepAlive &&
      heads(ours).some((head) => values(head, 'proxy-connection').length > 0),
  },
  {
    name: 'connection not reused',
    reason:
      'ours does not after HTTP/1.0, close in any list (Node misses it before HTAB), a 1xx that said so, a length on a 1xx or 204, or chunked where no body is, as some send its last chunk all the same',
    applies: ({ method }, ours, node) =>
      !ours.keepAlive &&
      node.keepAlive &&
      heads(ours).some(
        (head) =>
          head.version === '1.0' ||
          isClosing(head) ||
          ((method === 'HEAD' || head.status === 304) && values(head, 'transfer-encoding').length > 0) ||
          ((head.status < 200 || head.status === 204) &&
            values(head, 'content-length').length + values(head, 'transfer-encoding').length > 0),
      ),
  },
];

/** Every difference allowed; whatever none of them explains is a defect of ours or news about Node. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [...REFUSALS, ...OTHERS];
