import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { SandboxAddress } from '../../src/sandbox-proxy/address/sandbox-address.js';
import { Exchange } from '../../src/sandbox-proxy/exchange/exchange.js';

/** A request with these headers, and what was written in answer to it. */
export class Asked {
  readonly request = new IncomingMessage(new Socket());
  readonly response = new ServerResponse(this.request);
  readonly exchange: Exchange;
  status = 0;
  /** By lower-case name. */
  fields = new Map<string, string>();
  body = '';
  answers = 0;

  constructor(
    headers: Readonly<Record<string, string>>,
    method = 'GET',
    readonly address = new SandboxAddress(3000, 'cl-x', '3000-cl-x.localhost', true),
  ) {
    const { request, response } = this;
    request.method = method;
    request.url = '/';
    Object.assign(request.headers, headers);
    request.rawHeaders.push(...Object.entries(headers).flat());
    request.complete = true;
    const peer = { address: '192.0.2.1', isTrusted: false, proto: 'http' } as const;
    this.exchange = new Exchange('id-1', request, response, address, peer, peer.address, null, false);
    response.writeHead = ((status: number, flat: string[]) => {
      this.answers += 1;
      this.status = status;
      const pairs = flat.flatMap((name, i) =>
        i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1]] as [string, string]] : [],
      );
      this.fields = new Map(pairs);
      return response;
    }) as typeof response.writeHead;
    response.end = ((text: string) => ((this.body = text), response)) as typeof response.end;
  }
}
