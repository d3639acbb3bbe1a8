import { lookup } from 'node:dns';
import { isIP, type LookupFunction, Socket } from 'node:net';
import { type SecureContext, connect as connectTls, createSecureContext } from 'node:tls';
import { READ_BUFFER } from './read-buffers.js';
import { readToEnd } from './read-to-end.js';
import { type AddressPolicy, type AgentOrigin, createAddressPolicy } from './agent-address.js';
import { HostUnavailableError } from '../errors.js';
import type { SandboxProxyOptions } from '../options.js';

/** After this time of silence the kernel asks an agent whether it is still there, ms: one that vanished sends no FIN. */
const KEEP_ALIVE_MS = 60_000;

type OnRead = (buffer: Buffer, length: number) => void;

/** Opens connections to agents, by TCP or verified TLS, and only to addresses that the policy allows. */
export class AgentConnector {
  /** The port of this process's own listener, to which no connection is opened; 0 before it listens. */
  ownPort = 0;

  private readonly isAllowed: AddressPolicy;
  private readonly secureContext: SecureContext;

  /** @throws Error of OpenSSL when certificate and key do not match. */
  constructor({ agentTls, allowedAgentAddresses }: SandboxProxyOptions) {
    this.isAllowed = createAddressPolicy(allowedAgentAddresses, () => this.ownPort);
    this.secureContext = createSecureContext({ ...agentTls, minVersion: 'TLSv1.2' });
  }

  /** False for an IP literal that the policy refuses. A name is judged when connecting, by what it resolves to. */
  mayConnect({ hostname, port }: AgentOrigin): boolean {
    return isIP(hostname) === 0 || this.isAllowed(hostname, port);
  }

  /**
   * Begins to connect, and returns the socket. Bytes go to `onRead`, in a buffer that is valid only during the call.
   *
   * @param forUpgrade true where the socket will be spliced: then its bytes come as ordinary `data` events
   */
  connect(origin: AgentOrigin, forUpgrade: boolean, onConnected: () => void, onRead: OnRead): Socket {
    const { hostname: host, port } = origin;
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const target = {
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      ...keepAlive,
      lookup: this.lookupFor(port),
    };
    if (origin.secure) {
      const { secureContext } = this;
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = connectTls({ ...target, ...name, secureContext, rejectUnauthorized: true }, onConnected);
      return readToEnd(socket).on('data', (chunk: Buffer) => onRead(chunk, chunk.length));
    }
    if (forUpgrade) {
      return readToEnd(new Socket(target))
        .connect(target, onConnected)
        .on('data', (chunk: Buffer) => onRead(chunk, chunk.length));
    }
    const callback = (length: number) => {
      onRead(READ_BUFFER, length);
      return true;
    };
    const options = { ...target, onread: { buffer: READ_BUFFER, callback } };
    return readToEnd(new Socket(options)).connect(options, onConnected);
  }

  /** A DNS lookup whose results the policy filters, so that no name leads to a refused address. */
  private lookupFor(port: number): LookupFunction {
    return (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, '', 0);
        const allowed = found.filter(({ address }) => this.isAllowed(address, port));
        const [first] = allowed;
        if (first === undefined) return callback(new HostUnavailableError(), '', 0);
        if (options.all === true) return callback(null, allowed);
        return callback(null, first.address, first.family);
      });
    };
  }
}
