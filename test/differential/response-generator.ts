import type { Random } from '../kit/random.js';
import {
  METHODS,
  STATUSES,
  ODD_STATUS_LINES,
  REASONS,
  NAMES,
  ODD_NAMES,
  VALUES,
  ODD_VALUES,
  CONNECTIONS,
  LENGTHS,
  ENCODINGS,
  EXTENSIONS,
  SIZES,
  ENDS,
  BYTES,
  BODIES,
} from './response-vocabulary.js';

/** One response as an upstream might send it, and the request it answers. */
export interface GeneratedResponse {
  readonly method: string;
  readonly isUpgrade: boolean;
  /** The bytes, as latin1. */
  readonly text: string;
}

/** Wrong once in about `times` places: raised for a response that is to be odd all over. */
class Grammar {
  constructor(
    private readonly random: Random,
    private readonly times: number,
  ) {}

  private isOdd(): boolean {
    return this.random.once(this.times);
  }

  private end(): string {
    return this.isOdd() ? this.random.pick(ENDS) : '\r\n';
  }

  private field(): string {
    const { random } = this;
    const name = this.isOdd() ? random.pick(ODD_NAMES) : random.pick(NAMES);
    const value = this.isOdd() ? random.pick(ODD_VALUES) : random.pick(VALUES);
    const colon = this.isOdd()
      ? random.pick(['', ' : ', '::', '\t:', ':\t', ': \t '])
      : random.pick([': ', ': ', ':']);
    return name + colon + value + this.end();
  }

  private fields(most: number): string {
    let text = '';
    for (let count = this.random.below(most + 1); count > 0; count--) text += this.field();
    return text;
  }

  private name(lower: string): string {
    if (this.random.once(3)) return lower;
    if (this.random.once(6)) return lower.toUpperCase();
    return lower.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  }

  private statusLine(status: number): string {
    const { random } = this;
    if (this.isOdd()) return random.pick(ODD_STATUS_LINES) + this.end();
    const version = random.once(8) ? 'HTTP/1.0' : 'HTTP/1.1';
    return `${version} ${status}${random.pick(REASONS)}${this.end()}`;
  }

  private chunk(data: string): string {
    const { random } = this;
    let size = data.length.toString(16);
    if (random.once(4)) size = `0${size}`;
    if (random.once(4)) size = size.toUpperCase();
    if (this.isOdd()) size = random.pick(SIZES);
    const extension = random.once(6)
      ? this.isOdd() || random.once(3)
        ? random.pick(EXTENSIONS)
        : ';a=b'
      : '';
    return size + extension + this.end();
  }

  private chunkedBody(): string {
    const { random } = this;
    let text = '';
    for (let count = random.below(4); count > 0; count--) {
      const data = random.pick(BODIES);
      if (data === '') continue;
      text += this.chunk(data) + data + this.end();
    }
    if (this.isOdd()) return text;
    text += this.chunk('');
    if (random.once(3)) text += this.fields(3);
    if (random.once(12))
      text += `${this.name(random.pick(['content-length', 'transfer-encoding', 'connection', 'trailer']))}: ${random.pick(['5', 'chunked', 'close'])}\r\n`;
    return text + this.end();
  }

  private interim(): string {
    const { random } = this;
    const status = random.pick([100, 102, 103, 103, 150]);
    return this.statusLine(status) + this.fields(2) + (this.isOdd() ? this.framing('') : '') + this.end();
  }

  private framing(body: string): string {
    const { random } = this;
    const length = this.isOdd() ? random.pick(LENGTHS) : String(body.length);
    const encoding = this.isOdd() ? random.pick(ENCODINGS) : 'chunked';
    const lengthLine = `${this.name('content-length')}: ${length}${this.end()}`;
    const encodingLine = `${this.name('transfer-encoding')}: ${encoding}${this.end()}`;
    let text = random.once(2) ? lengthLine : encodingLine;
    if (this.isOdd()) text += random.once(2) ? lengthLine : encodingLine;
    return text;
  }

  response(): GeneratedResponse {
    const { random } = this;
    const isUpgrade = random.once(6);
    const method = isUpgrade ? 'GET' : random.pick(METHODS);
    const status = isUpgrade && !random.once(3) ? 101 : random.pick(STATUSES);
    let text = '';
    while (random.once(8)) text += this.interim();
    text += this.statusLine(status) + this.fields(4);
    if (status === 101 && !this.isOdd()) text += 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
    if (random.once(5)) {
      const name = random.once(8) ? 'proxy-connection' : 'connection';
      text += `${this.name(name)}: ${random.pick(CONNECTIONS)}${this.end()}`;
    }
    text += this.message(status);
    if (random.once(6))
      text += random.pick(['x', '\r\n', '\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '\0']);
    return { method, isUpgrade, text };
  }

  private message(status: number): string {
    const { random } = this;
    const kind = random.below(10);
    const isBare = status < 200 || status === 204;
    if (this.isOdd())
      return (
        this.framing(random.pick(BODIES)) +
        this.fields(2) +
        this.end() +
        (random.once(2) ? this.chunkedBody() : random.pick(BODIES))
      );
    if (isBare && !this.isOdd()) return this.fields(2) + this.end();
    if (kind < 4) {
      const body = random.pick(BODIES);
      const sent = this.isOdd() ? body.slice(1) : body;
      return `${this.name('content-length')}: ${body.length}${this.end()}${this.fields(2)}${this.end()}${sent}`;
    }
    if (kind < 8)
      return `${this.name('transfer-encoding')}: chunked${this.end()}${this.fields(2)}${this.end()}${this.chunkedBody()}`;
    return this.fields(2) + this.end() + random.pick(BODIES);
  }
}

function mutate(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const span = random.once(3) ? random.below(20) : 1;
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + random.pick(BYTES) + text.slice(at);
    case 1:
      return text.slice(0, at) + random.pick(BYTES) + text.slice(at + span);
    case 2:
      return text.slice(0, at) + text.slice(at + span);
    case 3:
      return text.slice(0, at) + text.slice(at, at + span).repeat(2) + text.slice(at + span);
    case 4:
      return text.slice(0, at);
    case 5:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    default: {
      const from = random.below(text.length + 1);
      return text.slice(0, at) + text.slice(from, from + span) + text.slice(at);
    }
  }
}

/** A response at or beyond one of the limits. */
function largeResponse(random: Random): GeneratedResponse {
  const size = (limit: number) => limit - 200 + random.below(400);
  const ok = 'HTTP/1.1 200 OK\r\n';
  const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
  const end = 'Content-Length: 2\r\n\r\nok';
  const texts = [
    () => `${ok}X: ${'a'.repeat(size(64 * 1024))}\r\n${end}`,
    () => `${ok}${'Some-Name: some value\r\n'.repeat(990 + random.below(20))}${end}`,
    () => `${'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n'.repeat(95 + random.below(10))}${ok}${end}`,
    () =>
      `HTTP/1.1 103 Early Hints\r\nX: ${'a'.repeat(size(32 * 1024))}\r\n\r\n${ok}X: ${'b'.repeat(32 * 1024)}\r\n${end}`,
    () => `${chunked}2;a="${'b'.repeat(size(1024))}"\r\nok\r\n0\r\n\r\n`,
    () => `${chunked}${`1;${'b'.repeat(size(900))}\r\no\r\n`.repeat(15 + random.below(10))}0\r\n\r\n`,
    () => `${chunked}2\r\nok\r\n0\r\nX: ${'a'.repeat(size(16 * 1024))}\r\n\r\n`,
    () => `${chunked}2\r\nok\r\n0\r\n${'X: a\r\n'.repeat(990 + random.below(20))}\r\n`,
    () => `${chunked}4000\r\n${'\0\r\n\xff'.repeat(4096)}\r\n0\r\n\r\n`,
    () => `${ok}Content-Length: 20000\r\n\r\n${'\0\r\n\xff'.repeat(5000)}`,
    () => `${ok}\r\n${'\0\r\n\xff'.repeat(5000)}`,
  ];
  return { method: random.pick(METHODS), isUpgrade: random.once(20), text: random.pick(texts)() };
}

/** The next response: from well-formed, over one oddity, to odd all over, then perhaps with bytes changed anywhere. */
export function generateResponse(random: Random): GeneratedResponse {
  if (random.once(1500)) return largeResponse(random);
  const response = new Grammar(random, random.pick([1_000_000, 60, 30, 30, 8])).response();
  if (!random.once(3)) return response;
  let { text } = response;
  for (let count = 1 + random.below(3); count > 0; count--) text = mutate(random, text);
  return { ...response, text };
}
