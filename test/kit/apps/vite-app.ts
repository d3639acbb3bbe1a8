import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const PROJECT = fileURLToPath(new URL('./vite-project', import.meta.url));

/** A Vite development server, as `vite` on the command line starts it, on a copy of `vite-project`. */
export interface ViteApp {
  readonly port: number;
  /** What Vite's own client sends with its WebSocket. */
  readonly webSocketToken: string;
  /** Overwrites a file of the project: `edit('src/greeting.js', '…')`. */
  edit(path: string, text: string): void;
  close(): Promise<void>;
}

export async function startViteApp(): Promise<ViteApp> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'vite-app-')));
  cpSync(PROJECT, root, { recursive: true });
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    cacheDir: join(root, '.vite'),
    // Whichever loopback `localhost` is: the server's default, and a sandboxed app's.
    server: { middlewareMode: false, port: 0 },
  });
  await server.listen();
  const address = server.httpServer?.address() as AddressInfo | undefined;
  if (!address) throw new Error('Vite does not listen');
  return {
    port: address.port,
    webSocketToken: server.config.webSocketToken,
    edit: (path, text) => writeFileSync(join(root, path), text),
    async close() {
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
