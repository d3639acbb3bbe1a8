// An application whose stores do what the request says: throw, reject, never answer, or answer nonsense. What a request
// cannot say (what is asked later, about what is open) the environment does: `FAULTS={"SandboxDirectory.locateMany":"throws"}`.
import 'reflect-metadata';
import { Body, Controller, Get, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as proxy from '@sandbox-control-plane/sandbox-proxy';
import { BearerScheme, goodContracts } from './good-contracts.mjs';

const NO_ANSWER = new Promise(() => undefined);
const { NONSENSE = '{}', FAULTS = '{}' } = process.env;
const nonsense = JSON.parse(NONSENSE);
const faults = JSON.parse(FAULTS);

/** Does to the method `name` of a contract what `mode` says: `throws`, `rejects`, `silent`, `nonsense-3`, or nothing. */
function spoil(name, mode, good) {
  if (mode === 'throws') throw new Error('no such table');
  if (mode === 'rejects') return Promise.reject(new Error('no such table'));
  if (mode === 'silent') return NO_ANSWER;
  const [, index] = /^nonsense-(\d+)$/.exec(mode) ?? [];
  if (index === undefined) return good();
  const value = nonsense[name][Number(index)];
  return value === 'undefined' ? undefined : value;
}

/** `x-locate-throws` -> `throws` for `locate`. */
function modeOf(text, method) {
  return new RegExp(`-${method}-([a-z]+(?:-\\d+)?)`).exec(text)?.[1] ?? '';
}

const contracts = goodContracts();
const { SandboxDirectory, SandboxIds, ApiKeyStore, PortSettings, SessionStore, ChangeFeed } = contracts;

SandboxIds.hostPattern = 'vm-[0-9a-z-]+';

/** By what is asked. */
function bySubject(contract, name, method, subjectOf) {
  const good = contract[method].bind(contract);
  contract[method] = (...args) =>
    spoil(`${name}.${method}`, modeOf(subjectOf(...args), method), () => good(...args));
}
bySubject(SandboxDirectory, 'SandboxDirectory', 'locate', (sandboxId) => sandboxId);
bySubject(SandboxIds, 'SandboxIds', 'isWellFormed', (sandboxId) =>
  sandboxId.replace('-wellformed-', '-isWellFormed-'),
);
bySubject(ApiKeyStore, 'ApiKeyStore', 'digest', (key) => key);
bySubject(ApiKeyStore, 'ApiKeyStore', 'find', (digest) => digest);
bySubject(PortSettings, 'PortSettings', 'find', (sandboxId) => sandboxId.replace('-port-', '-find-'));
bySubject(SessionStore, 'SessionStore', 'find', (token) =>
  token.replace('link-', 'link-find-').replace('nonsense', 'nonsense-'),
);
bySubject(SessionStore, 'SessionStore', 'begin', (token) =>
  token.replace('link-', 'link-begin-').replace('nonsense', 'nonsense-'),
);
bySubject(
  contracts.BearerScheme,
  'BearerScheme',
  'find',
  ({ request }) => request.headers.authorization ?? '',
);
bySubject(contracts.BearerScheme, 'BearerScheme', 'admit', ({ secret }) => secret);

for (const [path, mode] of Object.entries(faults)) {
  const [name, method] = path.split('.');
  const good = contracts[name][method]?.bind(contracts[name]) ?? (() => undefined);
  contracts[name][method] = (...args) => spoil(path, mode, () => good(...args));
}

const told = [];
ChangeFeed.subscribe = (listener) => {
  told.push(listener);
  return () => undefined;
};
if (process.env['FEED'] === 'off') delete contracts.ChangeFeed;

const { BearerScheme: scheme, ...others } = contracts;
/** By hand what decorators do in TypeScript. */
function route(method, decorator) {
  decorator(
    TestController.prototype,
    method,
    Object.getOwnPropertyDescriptor(TestController.prototype, method),
  );
}

class TestController {
  constructor(changes) {
    this.changes = changes;
  }

  alive() {
    return 'yes';
  }

  /** What the feed tells: nonsense as well. */
  tell(changes) {
    for (const change of changes)
      for (const listener of told) listener(change === 'undefined' ? undefined : change);
    return 'told';
  }

  /** From now on the feed cannot say whether it is live. */
  breakFeed() {
    for (const property of ['isLive', 'provenAtMs']) {
      Object.defineProperty(ChangeFeed, property, { get: () => spoil(property, 'throws') });
    }
    return 'broken';
  }

  /** The application has changed something itself. */
  async apply(change) {
    await this.changes.apply(change);
    return 'applied';
  }
}
Controller()(TestController);
Inject(proxy.SandboxChanges)(TestController, undefined, 0);
route('alive', Get('alive'));
route('tell', Post('tell'));
route('breakFeed', Post('feed-breaks'));
route('apply', Post('apply'));
for (const method of ['tell', 'apply']) Body()(TestController.prototype, method, 0);

class AppModule {}
Module({
  controllers: [TestController],
  imports: [
    proxy.SandboxProxyModule.forRoot({
      domains: ['sandboxes.test'],
      schemes: ['api-key', 'session', BearerScheme],
      providers: [
        ...Object.entries(others).map(([name, useValue]) => ({ provide: proxy[name], useValue })),
        { provide: BearerScheme, useValue: scheme },
      ],
    }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule);
await app.listen(0, '127.0.0.1');
