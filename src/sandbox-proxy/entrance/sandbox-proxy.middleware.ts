import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { SandboxProxyService } from '../sandbox-proxy.service.js';

/**
 * Door 1: takes the requests whose Host header names a sandbox, and leaves the others alone. It does not need
 * Express: it hangs in front of it, where a request is still as it came.
 */
@Injectable()
export class SandboxProxyMiddleware implements NestMiddleware<IncomingMessage, ServerResponse> {
  constructor(private readonly proxy: SandboxProxyService) {}

  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const claim = this.proxy.claim(request);
    if (claim === null) next();
    else this.proxy.serve(claim, request, response, null);
  }
}
