import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { PlatformOptions } from '../platform.options.js';
import { sandboxUrlTemplate } from './sandbox-url-template.js';

/** Knows the URLs of sandboxes' ports. */
@Injectable()
export class SandboxUrls {
  constructor(
    private readonly options: PlatformOptions,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** `cl-…` -> `http://{port}-cl-….localhost:8000`, where `{port}` is to be replaced. */
  templateOf(sandboxId: string): string {
    const server: Server = this.adapterHost.httpAdapter.getHttpServer();
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return sandboxUrlTemplate(this.options, port, sandboxId);
  }
}
