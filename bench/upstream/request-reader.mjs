const HEAD_END = Buffer.from('\r\n\r\n');

/** Cuts the bytes of one connection into requests: heads are parsed, bodies only counted. */
export class RequestReader {
  #rest = Buffer.alloc(0);
  #request = null;
  #left = 0;
  #onRequest;
  #onRaw = null;

  /** @param {(request: { path: string, query: string, length: number, websocketKey: string }) => void} onRequest */
  constructor(onRequest) {
    this.#onRequest = onRequest;
  }

  /** From now on bytes are not requests any more: they go to `onRaw`. */
  handOver(onRaw) {
    this.#onRaw = onRaw;
    if (this.#rest.length > 0) onRaw(this.#rest);
  }

  push(chunk) {
    if (this.#onRaw !== null) {
      this.#onRaw(chunk);
      return;
    }
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length > 0 && this.#onRaw === null && this.#step());
  }

  /** Takes one part off the bytes: a head, a piece of body, a chunk. False when more bytes are needed. */
  #step() {
    if (this.#request === null) return this.#head();
    if (this.#request.chunked && this.#left === 0) return this.#chunk();
    const part = Math.min(this.#left, this.#rest.length);
    this.#rest = this.#rest.subarray(part);
    this.#left -= part;
    if (this.#left === 0 && !this.#request.chunked) this.#finish();
    return true;
  }

  #head() {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 4);
    const [path, query = ''] = head.slice(0, head.indexOf('\r\n')).split(' ')[1].split('?n=');
    const field = (name) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1].trim() ?? '';
    const length = Number(field('content-length'));
    const chunked = field('transfer-encoding') !== '';
    this.#request = { path, query, length, chunked, websocketKey: field('sec-websocket-key') };
    this.#left = chunked ? 0 : length;
    if (!chunked && length === 0) this.#finish();
    return true;
  }

  #chunk() {
    const end = this.#rest.indexOf('\r\n');
    if (end < 0) return false;
    const size = Number.parseInt(this.#rest.toString('latin1', 0, end), 16);
    if (size === 0) {
      if (this.#rest.length < end + 4) return false;
      this.#rest = this.#rest.subarray(end + 4);
      this.#finish();
      return true;
    }
    this.#rest = this.#rest.subarray(end + 2);
    this.#request.length += size;
    this.#left = size + 2;
    return true;
  }

  #finish() {
    const request = this.#request;
    this.#request = null;
    this.#onRequest(request);
  }
}
