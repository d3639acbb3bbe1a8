// Loaded into an application before its own code (`node --import`): tells the test where its servers listen and what
// their settings are, and lets the test choose some. The application knows nothing of it.
import dns from 'node:dns';
import { Server } from 'node:http';

const NUMBERS = [
  'connectionsCheckingInterval',
  'headersTimeout',
  'keepAliveTimeout',
  'keepAliveTimeoutBuffer',
  'maxConnections',
  'maxHeadersCount',
  'maxRequestsPerSocket',
  'requestTimeout',
  'timeout',
];
const { settings, secondLocalhost } = JSON.parse(process.env['INSPECT'] ?? '{}');
const servers = [];

// node:net itself knows no other way to open a server
const listen = Server.prototype.listen;
Server.prototype.listen = function (...args) {
  servers.push(this);
  // before its checks of timeouts begin, which is when it listens
  Object.assign(this, { connectionsCheckingInterval: settings?.connectionsCheckingInterval ?? 30_000 });
  this.once('listening', () => {
    const { address, port } = this.address();
    // as an application may that sets its own after `listen()`
    setImmediate(() => {
      Object.assign(this, settings);
      process.send({ kind: 'listening', address, port });
    });
  });
  return listen.apply(this, args);
};

// a machine on which `localhost` has two addresses, wherever the test runs
if (secondLocalhost !== undefined) {
  const lookup = dns.lookup;
  dns.lookup = (name, options, callback) => {
    if (name !== 'localhost' || options.all !== true) return lookup(name, options, callback);
    const found = ['127.0.0.1', secondLocalhost].map((address) => ({ address, family: 4 }));
    return process.nextTick(callback, null, found);
  };
}

process.on('message', () => {
  const told = servers.map((server) =>
    Object.fromEntries(NUMBERS.map((name) => [name, server[name] ?? null])),
  );
  process.send({ kind: 'settings', servers: told });
});
process.channel.unref();
