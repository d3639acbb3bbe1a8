import { connect } from 'node:net';
import { head, keyLine, madeUpKey, madeUpLinkToken, ownHead, UPGRADE } from './requests.mjs';

/**
 * @typedef {{ port: number, host: string, key: string }} Target the program, and the attacker's own sandbox and key
 * @typedef {{ id: string, label: string, run: (target: Target) => void }} Flood keeps going until its process ends
 */

const H2C = [
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
];
const TINY_CHUNKS = '1\r\na\r\n'.repeat(20_000);
const own = (target, path = '') => ownHead(`GET /${path}`, target);

/** Holds that many connections; each sends what `bytes` gives as fast as it is taken, and is opened again when it ends. */
function flood(port, connections, bytes, { reads = true } = {}) {
  for (let index = 0; index < connections; index++) open();
  function open() {
    const socket = connect({ host: '127.0.0.1', port });
    const send = () => {
      let rounds = 0;
      while (socket.writable && rounds++ < 64 && socket.write(bytes()));
      if (rounds > 64) setImmediate(send);
    };
    socket.on('connect', send).on('drain', send);
    socket.on('error', () => undefined);
    socket.on('close', () => setTimeout(open, 5));
    if (reads) socket.resume();
  }
}

/** Holds that many connections; each sends once, and again after each answer. */
function loop(port, connections, request) {
  for (let index = 0; index < connections; index++) open();
  function open() {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.on('connect', () => socket.write(request()));
    socket.on('data', () => socket.write(request()));
    socket.on('error', () => undefined);
    socket.on('close', () => setTimeout(open, 5));
  }
}

/** Holds that many connections; each sends once and does nothing more. */
function hold(port, connections, bytes) {
  const open = () => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => socket.write(bytes()));
    socket.on('error', () => undefined);
    socket.on('close', () => setTimeout(open, 50));
    socket.pause();
  };
  for (let index = 0; index < connections; index++) open();
}

/** As many requests as 32 connections can have answered, one at a time each. */
export const HONEST = {
  id: 'honest',
  label: 'honest requests on 32 connections',
  run: (target) => loop(target.port, 32, () => own(target)),
};

/** @type {readonly Flood[]} */
export const FLOODS = [
  {
    id: 'h2c',
    label: 'upgrades to h2c, again and again on 32 connections',
    run: (target) => flood(target.port, 32, () => head('GET /', target.host, H2C).repeat(100)),
  },
  {
    id: 'pipelined',
    label: 'requests ahead of answers that never come, 16 connections',
    run: (target) => flood(target.port, 16, () => own(target, 'hang').repeat(1_000)),
  },
  {
    id: 'pipelined-quick',
    label: 'requests ahead of their answers, 32 connections',
    run: (target) => flood(target.port, 32, () => own(target).repeat(100)),
  },
  {
    id: 'hanging',
    label: 'requests that are never answered, 1,000 connections',
    run: (target) => hold(target.port, 1_000, () => own(target, 'hang')),
  },
  {
    id: 'unread',
    label: 'endless answers that nobody reads, 200 connections',
    run: (target) => hold(target.port, 200, () => own(target, 'endless')),
  },
  {
    id: 'client-chunks',
    label: 'uploads in chunks of one byte, 16 connections',
    run: (target) => {
      drip(target.port, 16, ownHead('POST /', target, ['Transfer-Encoding: chunked']));
    },
  },
  {
    id: 'api-chunks',
    label: 'the same to the API, without a key',
    run: ({ port }) =>
      drip(port, 16, head('POST /v1/sandboxes', 'localhost', ['Transfer-Encoding: chunked'])),
  },
  {
    id: 'agent-chunks',
    label: 'answers in chunks of one byte, 16 connections',
    run: (target) => reading(target.port, 16, () => own(target, 'tiny')),
  },
  {
    id: 'agent-extensions',
    label: 'answers whose chunks are all extension, 16 connections',
    run: (target) => reading(target.port, 16, () => own(target, 'extensions')),
  },
  {
    id: 'strangers',
    label: 'connections that say nothing, 4,000',
    run: ({ port }) => hold(port, 4_000, () => ''),
  },
  {
    id: 'half-heads',
    label: 'heads that never end, 2,000 connections',
    run: ({ port }) => hold(port, 2_000, () => 'GET / HTTP/1.1\r\nHost: local'),
  },
  {
    id: 'made-up-keys',
    label: 'keys that are made up, 32 connections',
    run: ({ port, host }) => loop(port, 32, () => ownHead('GET /', { host, key: madeUpKey() })),
  },
  {
    id: 'api-keys',
    label: 'keys that are made up, at the API, 32 connections',
    run: ({ port }) =>
      loop(port, 32, () => ownHead('GET /v1/sandboxes', { host: 'localhost', key: madeUpKey() })),
  },
  {
    id: 'readyz',
    label: 'questions whether it is ready, 32 connections',
    run: ({ port }) => loop(port, 32, () => head('GET /readyz', 'localhost').repeat(16)),
  },
  {
    id: 'links',
    label: 'links that are made up, 32 connections',
    run: ({ port, host }) => loop(port, 32, () => head(`GET /?sandbox_link=${madeUpLinkToken()}`, host)),
  },
  {
    id: 'upgrades',
    label: 'upgrades that are refused, 64 connections',
    run: ({ port, host }) => loop(port, 64, () => head('GET /', host, UPGRADE)),
  },
  {
    id: 'malformed',
    label: 'what is not HTTP, 64 connections',
    run: ({ port }) => loop(port, 64, () => 'NONSENSE\r\n\r\n'),
  },
  {
    id: 'lists',
    label: 'lists of the API that nobody reads, 30 connections',
    run: (target) =>
      hold(target.port, 30, () =>
        head('GET /v1/sandboxes?limit=1000', 'localhost', [keyLine(target)]).repeat(30),
      ),
  },
];

/** A head, and then chunks of one byte for ever. */
function drip(port, connections, start) {
  for (let index = 0; index < connections; index++) open();
  function open() {
    const socket = connect({ host: '127.0.0.1', port });
    const send = () => {
      while (socket.writable && socket.write(TINY_CHUNKS));
    };
    socket.on('connect', () => {
      socket.write(start);
      send();
    });
    socket.on('drain', send).on('error', () => undefined);
    socket.on('close', () => setTimeout(open, 5));
    socket.resume();
  }
}

/** Reads answers that do not end. */
function reading(port, connections, request) {
  for (let index = 0; index < connections; index++) open();
  function open() {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => socket.write(request()));
    socket.on('error', () => undefined).on('close', () => setTimeout(open, 5));
    socket.resume();
  }
}
