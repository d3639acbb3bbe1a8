// Starts an application with each of the spoilt sets of contracts that the test sends, and sends back how that went.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as proxy from '@sandbox-control-plane/sandbox-proxy';
import { BearerScheme, goodContracts } from './good-contracts.mjs';

/** As `Spoilt` of the test says. */
function contractsOf({ without = [], instead = {}, throwing = [], failing = [] }) {
  const contracts = goodContracts();
  for (const path of without) {
    const [name, member] = path.split('.');
    if (member === undefined) delete contracts[name];
    // also what it inherits
    else contracts[name][member] = undefined;
  }
  for (const [path, value] of Object.entries(instead)) {
    const [name, member] = path.split('.');
    if (member === undefined) contracts[name] = value;
    else contracts[name][member] = value;
  }
  for (const path of throwing) {
    const [name, member] = path.split('.');
    const property = {
      get() {
        throw new Error('no such column');
      },
    };
    Object.defineProperty(contracts[name], member, property);
  }
  for (const path of failing) {
    const [name, member] = path.split('.');
    contracts[name][member] = () => {
      throw new Error('no such column');
    };
  }
  return contracts;
}

const SCHEMES = { BearerScheme, Object };

async function start(spoilt) {
  const contracts = contractsOf(spoilt);
  const { BearerScheme: scheme, ...others } = contracts;
  const providers = Object.entries(others).map(([name, useValue]) => ({ provide: proxy[name], useValue }));
  const schemes = (spoilt.schemes ?? ['api-key', 'session', 'BearerScheme']).map(
    (name) => SCHEMES[name] ?? name,
  );
  if (schemes.includes(BearerScheme)) providers.push({ provide: BearerScheme, useValue: scheme });
  class AppModule {}
  Module({
    imports: [
      proxy.SandboxProxyModule.forRootAsync({
        useFactory: () => ({ domains: ['sandboxes.test'], ...spoilt.options }),
        schemes,
        providers,
      }),
    ],
  })(AppModule);
  const options = { logger: false, abortOnError: false };
  const app =
    spoilt.as === 'context'
      ? await NestFactory.createApplicationContext(AppModule, options)
      : await NestFactory.create(AppModule, options);
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

for (const spoilt of JSON.parse(process.env['CASES'])) {
  const problem = await start(spoilt).then(
    () => null,
    (error) => String(error?.message ?? error),
  );
  process.send({ problem });
}
process.disconnect();
