import { KNOWN_DIFFERENCES } from './known-differences.js';
import type { GeneratedResponse } from './response-generator.js';
import { NodeReader, OurReader, type Cuts, type Outcome } from './response-readers.js';
import type { Random } from '../kit/random.js';

/** Up to this many bytes our parser is fed every two-piece split; above, a sample. */
const ALL_SPLITS_BYTES = 400;
const SAMPLED_SPLITS = 40;
/** Up to this many bytes Node's is fed byte by byte: it copies what it has of a field with every piece. */
const NODE_EVERY_BYTE_BYTES = 4096;

/** Two readings that must not differ, or differ in no listed way. */
export class ReadersDisagree extends Error {
  override readonly name = 'ReadersDisagree';
  constructor(what: string, response: GeneratedResponse, ...outcomes: Outcome[]) {
    super(
      `${what}\n${JSON.stringify(response)}\n${outcomes.map((outcome) => JSON.stringify(outcome)).join('\n')}`,
    );
  }
}

function isSame(a: Outcome, b: Outcome): boolean {
  return (
    a.verdict === b.verdict &&
    a.why === b.why &&
    a.body === b.body &&
    a.keepAlive === b.keepAlive &&
    a.consumed === b.consumed &&
    isSameList(a.heads, b.heads) &&
    isSameList(a.trailers, b.trailers)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function isPrefixed(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** What both saw, or nothing to say about: '' ; else what differs. */
export function difference(ours: Outcome, node: Outcome): string {
  if (ours.verdict !== node.verdict) return `verdict ${ours.verdict} / ${node.verdict}`;
  if (ours.verdict === 'rejected' || ours.verdict === 'truncated') {
    const shared = Math.min(ours.heads.length, node.heads.length);
    if (!isSameList(ours.heads.slice(0, shared), node.heads.slice(0, shared))) return 'heads';
    return isPrefixed(ours.body, node.body) ? '' : 'body';
  }
  if (!isSameList(ours.heads, node.heads)) return 'heads';
  if (ours.body !== node.body) return 'body';
  if (!isSameList(ours.trailers, node.trailers)) return 'trailers';
  if (ours.verdict === 'complete' && ours.keepAlive !== node.keepAlive) return `keepAlive ${ours.keepAlive}`;
  if (node.consumed !== -1 && ours.consumed !== -1 && ours.consumed !== node.consumed) return 'end';
  return '';
}

/** Feeds responses to both parsers, whole and in pieces, and keeps count. */
export class ReaderComparison {
  readonly verdicts = new Map<string, number>();
  readonly differences = new Map<string, number>();
  responses = 0;
  readings = 0;
  private readonly ours = new OurReader();
  private readonly node = new NodeReader();

  constructor(private readonly random: Random) {}

  /** @throws ReadersDisagree when a difference is not listed, or pieces change what is read */
  check(response: GeneratedResponse): void {
    const { stackTraceLimit } = Error;
    // Half of all readings end in an error; walking the stack for each took two thirds of the run.
    Error.stackTraceLimit = 0;
    try {
      this.compare(response);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  private compare(response: GeneratedResponse): void {
    const bytes = Buffer.from(response.text, 'latin1');
    const everyByte = Array.from({ length: bytes.length }, (_, index) => index + 1);
    const whole = this.readOurs(response, bytes, [bytes.length]);
    for (const cuts of this.splits(bytes.length, everyByte)) {
      const cut = this.readOurs(response, bytes, cuts);
      if (!isSame(whole, cut))
        throw new ReadersDisagree(`ours: whole / cut at ${cuts.join(',')}`, response, whole, cut);
    }
    const nodeCut = this.readNode(response, bytes, this.nodeCuts(everyByte));
    const nodeWhole = this.readNode(response, bytes, [bytes.length]);
    this.responses++;
    count(this.verdicts, `${whole.verdict} / ${nodeWhole.verdict}`);
    const names = new Set<string>();
    for (const node of [nodeWhole, nodeCut]) {
      const what = difference(whole, node);
      if (what === '') continue;
      const known = KNOWN_DIFFERENCES.find((candidate) => candidate.applies(response, whole, node));
      if (known === undefined) throw new ReadersDisagree(`ours / Node's: ${what}`, response, whole, node);
      names.add(known.name);
    }
    for (const name of names) count(this.differences, name);
  }

  private *splits(length: number, everyByte: Cuts): Generator<Cuts> {
    yield everyByte;
    if (length < 2) return;
    if (length <= ALL_SPLITS_BYTES) {
      for (let cut = 1; cut < length; cut++) yield [cut, length];
    } else {
      for (let count = 0; count < SAMPLED_SPLITS; count++) yield [1 + this.random.below(length - 1), length];
    }
    const cuts = new Set([length]);
    for (let count = 1 + this.random.below(6); count > 0; count--) cuts.add(1 + this.random.below(length));
    yield [...cuts].toSorted((a, b) => a - b);
  }

  private nodeCuts(everyByte: Cuts): Cuts {
    if (everyByte.length <= NODE_EVERY_BYTE_BYTES) return everyByte;
    const stride = 1 + this.random.below(4096);
    return everyByte.filter((cut) => cut % stride === 0 || cut === everyByte.length);
  }

  private readOurs(response: GeneratedResponse, bytes: Buffer, cuts: Cuts): Outcome {
    this.readings++;
    return this.ours.read(response, bytes, cuts);
  }

  private readNode(response: GeneratedResponse, bytes: Buffer, cuts: Cuts): Outcome {
    this.readings++;
    return this.node.read(response, bytes, cuts);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
