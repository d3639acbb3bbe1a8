import type { Server } from 'node:http';
import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type ListenerProtection, protectListener } from '../sandbox-proxy/index.js';
import { Configuration } from './config/configuration.js';

/** The program's own listener: its limits, and its end. */
@Injectable()
export class Listener implements OnModuleInit, BeforeApplicationShutdown {
  private protection: ListenerProtection | null = null;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly configuration: Configuration,
  ) {}

  onModuleInit(): void {
    const { TRUSTED_PROXIES, WORKERS } = this.configuration;
    this.protection = protectListener(this.server, { trustedProxies: TRUSTED_PROXIES, processes: WORKERS });
  }

  /** See `ListenerProtection.closeIdle`. */
  closeIdle(nowMs: number): void {
    this.protection?.closeIdle(nowMs);
  }

  /**
   * Nest closes the server next, and waits until every connection is gone. What is still under way after the grace is cut.
   */
  beforeApplicationShutdown(): void {
    const { server } = this;
    const end = setTimeout(() => server.closeAllConnections(), this.configuration.SHUTDOWN_GRACE_MS).unref();
    server.once('close', () => clearTimeout(end));
  }

  private get server(): Server {
    return this.adapterHost.httpAdapter.getHttpServer() as Server;
  }
}
