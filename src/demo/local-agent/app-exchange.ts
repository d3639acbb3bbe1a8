import {
  type ClientRequest,
  type IncomingMessage,
  type InformationEvent,
  request,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { type AgentErrorCode, answerWithError } from './agent-error.js';
import {
  declaresBody,
  formatHead,
  type RawHeaders,
  requestHeaders,
  responseHeaders,
  trailers,
} from './agent-headers.js';
import type { AgentTarget } from './agent-target.js';
import { connectToApp } from './app-connection.js';
import { type EarlyBytes, splice } from './tunnel.js';

/** Larger than what the control plane accepts, because it adds headers. */
export const HEAD_MAX_BYTES = 131_072;

const NOTHING = Buffer.alloc(0);
const BEYOND_ASCII = /[\u0080-\u00ff]/;

/** If the app is silent for this time, a client that waits for `100 Continue` gets it from the agent, milliseconds. */
const INVITE_AFTER_MS = 1_000;

/**
 * Forwards one request to its app, and the app's answer back, streaming both ways. The connection to the app is closed
 * after the exchange, so nothing that an app sends unasked can reach another request.
 *
 * An answer may come, and the app's connection may end, before the request has been read whole.
 *
 * @param early for an upgrade: collects what the client sends before the 101
 */
export function exchange(
  inbound: IncomingMessage,
  answer: ServerResponse,
  target: AgentTarget,
  early?: EarlyBytes,
): void {
  let isConnected = false;
  let appAnswer: IncomingMessage | undefined;
  let appRequest: ClientRequest;
  const invitation = new Invitation(answer);

  const fail = (code: AgentErrorCode, message: string): void => {
    invitation.withdraw();
    inbound.unpipe(appRequest);
    inbound.resume();
    if (answer.headersSent) cut(answer, inbound);
    else answerWithError(answer, code, message);
    appRequest.destroy();
  };
  const broken = (what: string): void =>
    fail('app_broken_response', `the app on port ${target.port} ${what}`);

  const headers = requestHeaders(inbound, target.port, early !== undefined);
  const { expect } = inbound.headers;
  // Node writes a head with Expect as UTF-8 (nodejs/node #1693). If that would garble it, the agent asks for the body itself.
  const hasExpect = expect !== undefined && !BEYOND_ASCII.test(headers.join());
  if (expect !== undefined && !hasExpect) {
    removeHeader(headers, 'expect');
    invitation.send();
  } else if (expect?.toLowerCase() === '100-continue') {
    invitation.sendAfter(INVITE_AFTER_MS);
  }

  try {
    appRequest = request({
      method: inbound.method,
      path: target.path,
      headers,
      setHost: false,
      maxHeaderSize: HEAD_MAX_BYTES,
      createConnection: () =>
        connectToApp(target.port).once('connect', () => {
          isConnected = true;
        }),
    });
  } catch {
    return answerWithError(answer, 'bad_request', 'the request cannot be sent to an app');
  }
  appRequest.maxHeadersCount = 0;

  appRequest.on('error', () => {
    // An answer that is complete stays, however its connection ends.
    if (appAnswer?.complete || answer.destroyed || answer.writableEnded) return;
    if (isConnected) broken('broke off or did not answer in HTTP');
    else fail('app_unreachable', `nothing listens on port ${target.port} inside the sandbox`);
  });
  appRequest.on('information', (interim) => {
    if (interim.statusCode === 100) invitation.send();
    else passInterim(interim, inbound, answer);
  });
  appRequest.on('upgrade', (response, appSocket, appHead) => {
    invitation.withdraw();
    if (!early) return broken('switched protocols unasked');
    join(response, appSocket, appHead, answer, early, target);
  });
  appRequest.on('response', (response) => {
    appAnswer = response;
    invitation.withdraw();
    response.on('error', () => {});
    if (!passHead(response, answer, target, inbound.httpVersion))
      return broken('sent an answer that is not HTTP');
    response.pipe(answer, { end: false });
    response.on('end', () => {
      addTrailers(response, answer);
      answer.end();
      // The rest of a request that the app no longer reads must not block the connection.
      inbound.unpipe(appRequest);
      inbound.resume();
    });
    response.on('close', () => {
      if (!response.complete) cut(answer, inbound);
    });
  });

  inbound.on('error', () => {});
  answer.on('error', () => {});
  answer.on('close', () => {
    invitation.withdraw();
    appRequest.destroy();
  });

  if (declaresBody(inbound)) {
    // The head must not wait for the body's first byte; flushHeaders() would write it as UTF-8.
    if (!hasExpect) appRequest.write(NOTHING);
    inbound.pipe(appRequest, { end: false });
    inbound.on('end', () => {
      addTrailers(inbound, appRequest);
      appRequest.end();
    });
  } else {
    appRequest.end();
  }
}

/** Sends `100 Continue` to a client that may be waiting for it: once, and not after the answer has begun. */
class Invitation {
  private timer: NodeJS.Timeout | undefined;
  private isOpen = true;

  constructor(private readonly answer: ServerResponse) {}

  sendAfter(delayMs: number): void {
    this.timer = setTimeout(() => this.send(), delayMs);
  }

  send(): void {
    if (this.isOpen) this.answer.writeContinue();
    this.withdraw();
  }

  withdraw(): void {
    this.isOpen = false;
    clearTimeout(this.timer);
  }
}

/** Passes 102, 103, … on as they come; not to an HTTP/1.0 client, nor to one that does not read. */
function passInterim(interim: InformationEvent, inbound: IncomingMessage, answer: ServerResponse): void {
  const { socket } = answer;
  if (inbound.httpVersion !== '1.1' || answer.headersSent || !socket || socket.writableNeedDrain) return;
  const headers: RawHeaders = [];
  for (let i = 0; i + 1 < interim.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = interim.rawHeaders.slice(i, i + 2);
    if (!/^(?:x-sandbox-.*|connection|content-length|transfer-encoding)$/i.test(name))
      headers.push(name, value);
  }
  socket.write(formatHead(interim.statusCode, interim.statusMessage, headers), 'latin1');
}

/** Sends the head at once, so that an event stream opens before its first event. False if Node refuses the head. */
function passHead(
  response: IncomingMessage,
  answer: ServerResponse,
  target: AgentTarget,
  clientVersion: string,
): boolean {
  const status = response.statusCode ?? 0;
  if (status < 200) return false;
  try {
    answer.sendDate = false;
    const headers = responseHeaders(response, target);
    if (clientVersion !== '1.1')
      ['transfer-encoding', 'trailer'].forEach((name) => removeHeader(headers, name));
    answer.writeHead(status, response.statusMessage ?? '', headers);
    answer.write(NOTHING);
    return true;
  } catch {
    return false;
  }
}

/** Passes a 101 on and joins the two sockets. */
function join(
  response: IncomingMessage,
  appSocket: Socket,
  appHead: Buffer,
  answer: ServerResponse,
  early: EarlyBytes,
  target: AgentTarget,
): void {
  const { socket } = answer;
  if (!socket) return void appSocket.destroy();
  const headers = responseHeaders(response, target);
  headers.push('Connection', 'Upgrade', 'Upgrade', response.headers.upgrade ?? '');
  answer.detachSocket(socket);
  socket.write(formatHead(101, response.statusMessage ?? '', headers), 'latin1');
  if (appHead.length > 0) socket.write(appHead);
  const clientHead = early.take();
  if (clientHead.length > 0) appSocket.write(clientHead);
  splice(socket, appSocket);
}

/** Ends an answer so that the client sees a truncated body: what has arrived is sent, but no last chunk. */
function cut(answer: ServerResponse, inbound: IncomingMessage): void {
  if (answer.writableEnded) return;
  // To an HTTP/1.0 client the end of the connection is the end of the body, unless it is a reset.
  if (inbound.httpVersion === '1.1') answer.socket?.destroySoon();
  else answer.socket?.resetAndDestroy();
}

function addTrailers(from: IncomingMessage, to: ServerResponse | ClientRequest): void {
  try {
    to.addTrailers(trailers(from));
  } catch {
    // Trailers that Node refuses to write are left out; the body is complete without them.
  }
}

function removeHeader(headers: RawHeaders, name: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === name) headers.splice(i, 2);
  }
}
