import { createRequire } from 'node:module';
import {
  ResponseParser,
  ResponseTruncatedError,
  type ResponseHead,
} from '../../src/sandbox-proxy/agent-client/response-parser.js';
import type { GeneratedResponse } from './response-generator.js';

/** What a reader made of the bytes followed by the end of the connection, up to the end of the final response. */
export interface Outcome {
  verdict: 'complete' | 'upgraded' | 'truncated' | 'rejected';
  /** Why it was rejected, in the reader's own words. */
  why: string;
  /** Informational responses and the final one: `1.1 200 OK` and the fields, one per line. */
  heads: string[];
  keepAlive: boolean;
  body: string;
  /** Flat. */
  trailers: string[];
  /** Bytes up to the end of the response; for Node only when fed byte by byte, else -1. */
  consumed: number;
}

/** Ends of the pieces to feed, the last one being the length of all. */
export type Cuts = readonly number[];

function emptyOutcome(): Outcome {
  return { verdict: 'truncated', why: '', heads: [], keepAlive: false, body: '', trailers: [], consumed: -1 };
}

function describeHead(minor: number, status: number, reason: string, rawHeaders: readonly string[]): string {
  return `1.${minor} ${status} ${reason}\n${rawHeaders.join('\n')}`;
}

/** Our parser; one object for all responses as long as it lets itself be reused, as on a connection. */
export class OurReader {
  private outcome = emptyOutcome();
  private parser = new ResponseParser(this);

  read({ method, isUpgrade }: GeneratedResponse, bytes: Buffer, cuts: Cuts): Outcome {
    const outcome = (this.outcome = emptyOutcome());
    if (!this.parser.isIdle) this.parser = new ResponseParser(this);
    const { parser } = this;
    parser.begin(method, isUpgrade);
    let taken = 0;
    try {
      for (const cut of cuts) {
        const piece = bytes.subarray(taken, cut);
        const consumed = parser.execute(piece);
        taken += consumed;
        if (parser.isIdle || parser.isUpgraded) {
          outcome.consumed = taken;
          break;
        }
        if (consumed !== piece.length) throw new RangeError('stopped inside a response');
      }
      parser.finish();
      outcome.verdict = parser.isUpgraded ? 'upgraded' : 'complete';
    } catch (error) {
      if (error instanceof RangeError) throw error;
      if (!(error instanceof ResponseTruncatedError)) outcome.verdict = 'rejected';
      outcome.why = (error as Error).message;
    }
    return outcome;
  }

  onInformational(head: ResponseHead): void {
    this.outcome.heads.push(describeHead(head.minorVersion, head.status, head.reason, head.rawHeaders));
  }
  onHead(head: ResponseHead): void {
    this.onInformational(head);
    this.outcome.keepAlive = head.keepAlive;
  }
  onBody(chunk: Buffer): void {
    this.outcome.body += chunk.toString('latin1');
  }
  onComplete(trailers: string[]): void {
    this.outcome.trailers = trailers;
  }
}

/** The face of Node's own binding to llhttp, as lib/_http_common.js uses it. */
interface NodeParser {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void;
  execute(bytes: Buffer): number | (Error & { code?: string; reason?: string });
  finish(): Error | undefined | number;
  [callback: number]: (...args: never[]) => unknown;
}
interface NodeParserClass {
  new (): NodeParser;
  RESPONSE: number;
  kOnHeaders: number;
  kOnHeadersComplete: number;
  kOnBody: number;
  kOnMessageComplete: number;
  kLenientNone: number;
}
const { HTTPParser } = createRequire(import.meta.url)('_http_common') as { HTTPParser: NodeParserClass };

/** Node's parser, strict, answering its callbacks as lib/_http_client.js does (20.20.2). */
export class NodeReader {
  private readonly parser = new HTTPParser();
  private outcome = emptyOutcome();
  private flushed: string[] = [];
  private isHeadRequest = false;
  private isFinal = false;
  private isDone = false;

  constructor() {
    const { parser } = this;
    parser[HTTPParser.kOnHeaders] = (fields: string[]) => {
      this.flushed.push(...fields);
    };
    parser[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      minor: number,
      fields: string[] | undefined,
      _method: unknown,
      _url: unknown,
      status: number,
      reason: string,
      upgrade: boolean,
      shouldKeepAlive: boolean,
    ) => this.onHead(_major, minor, fields ?? this.flushed, status, reason, upgrade, shouldKeepAlive);
    parser[HTTPParser.kOnBody] = (chunk: Buffer) => {
      if (!this.isDone) this.outcome.body += chunk.toString('latin1');
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      if (this.isDone || !this.isFinal) return;
      this.outcome.trailers = this.flushed;
      this.flushed = [];
      this.isDone = true;
    };
  }

  read({ method }: GeneratedResponse, bytes: Buffer, cuts: Cuts): Outcome {
    const outcome = (this.outcome = emptyOutcome());
    this.flushed = [];
    this.isHeadRequest = method === 'HEAD';
    this.isFinal = false;
    this.isDone = false;
    this.parser.initialize(HTTPParser.RESPONSE, {}, 64 * 1024, HTTPParser.kLenientNone);
    let taken = 0;
    for (const cut of cuts) {
      if (cut === taken) continue;
      const result = this.parser.execute(bytes.subarray(taken, cut));
      taken = cut;
      if (this.isDone) {
        if (cuts.length === bytes.length) outcome.consumed = taken;
        return this.end('complete');
      }
      if (typeof result !== 'number') {
        outcome.why = `${result.code}: ${result.reason}`;
        return this.end('rejected');
      }
    }
    this.parser.finish();
    return this.end(this.isDone ? 'complete' : 'truncated');
  }

  private end(verdict: Outcome['verdict']): Outcome {
    if (this.outcome.verdict !== 'upgraded') this.outcome.verdict = verdict;
    return this.outcome;
  }

  private onHead(
    major: number,
    minor: number,
    fields: string[],
    status: number,
    reason: string,
    upgrade: boolean,
    shouldKeepAlive: boolean,
  ): number {
    this.flushed = [];
    if (this.isDone) return 0;
    const head = describeHead(minor, status, reason, fields);
    this.outcome.heads.push(major === 1 ? head : `${major}!${head}`);
    if (status < 200 && status >= 100 && status !== 101) return 1;
    this.outcome.keepAlive = shouldKeepAlive;
    this.isFinal = true;
    if (status === 101) {
      this.outcome.verdict = 'upgraded';
      this.isDone = true;
      return upgrade ? 2 : 0;
    }
    return this.isHeadRequest || status === 304 ? 1 : 0;
  }
}
