import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { Configuration } from '../config/configuration.js';

/** Says under which URL a sandbox's ports answer. */
@Injectable()
export class SandboxUrls {
  constructor(
    private readonly configuration: Configuration,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** `cl-…` -> `http://{port}-cl-….localhost:8000`, with `{port}` as it stands. */
  templateOf(sandboxId: string): string {
    const { PUBLIC_URL, SANDBOX_DOMAINS } = this.configuration;
    const base = new URL(PUBLIC_URL ?? `http://${SANDBOX_DOMAINS[0] ?? 'localhost'}:${this.#port()}`);
    return `${base.protocol}//{port}-${sandboxId}.${base.host}`;
  }

  /** The port that is listened on, which the configuration does not say where it says 0. */
  #port(): number {
    const server: Server = this.adapterHost.httpAdapter.getHttpServer();
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : this.configuration.PORT;
  }
}
