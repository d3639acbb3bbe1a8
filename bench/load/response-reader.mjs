const HEAD_END = Buffer.from('\r\n\r\n');

/** Cuts the bytes of one client connection into responses; bodies are counted, not kept. */
export class ResponseReader {
  #rest = Buffer.alloc(0);
  #status = 0;
  #bytes = 0;
  #left = 0;
  #chunked = false;
  #onResponse;

  /** @param {(status: number, bodyBytes: number) => void} onResponse */
  constructor(onResponse) {
    this.#onResponse = onResponse;
  }

  push(chunk) {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length > 0 && this.#step());
  }

  #step() {
    if (this.#status === 0) return this.#head();
    if (this.#chunked && this.#left === 0) return this.#chunk();
    const part = Math.min(this.#left, this.#rest.length);
    this.#rest = this.#rest.subarray(part);
    this.#left -= part;
    if (!this.#chunked) this.#bytes += part;
    if (this.#left === 0 && !this.#chunked) this.#finish();
    return true;
  }

  #head() {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#rest.latin1Slice(0, end);
    this.#rest = this.#rest.subarray(end + 4);
    const status = Number(head.slice(9, 12));
    if (status < 200 && status !== 101) return true;
    this.#status = status;
    this.#chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#left = this.#chunked ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (!this.#chunked && this.#left === 0) this.#finish();
    return true;
  }

  #chunk() {
    const end = this.#rest.indexOf('\r\n');
    if (end < 0) return false;
    const size = Number.parseInt(this.#rest.latin1Slice(0, end), 16);
    if (size === 0) {
      if (this.#rest.length < end + 4) return false;
      this.#rest = this.#rest.subarray(end + 4);
      this.#finish();
      return true;
    }
    this.#rest = this.#rest.subarray(end + 2);
    this.#bytes += size;
    this.#left = size + 2;
    return true;
  }

  #finish() {
    const status = this.#status;
    const bytes = this.#bytes;
    this.#status = 0;
    this.#bytes = 0;
    this.#onResponse(status, bytes);
  }
}
