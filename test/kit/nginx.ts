import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAbsent } from './installed.js';
import { freePort } from './postgres.js';
import { until } from './wait.js';

/** Debian's package `nginx-light`. */
const NGINX = '/usr/sbin/nginx';
export const HAS_NO_NGINX = isAbsent('nginx-light', NGINX, '-v');

export interface Nginx {
  readonly port: number;
  /** What it wrote about failures. */
  readonly stderr: string;
  stop(): Promise<void>;
}

/** An nginx that balances over these ports, as the README says it should. */
export async function startNginx(ports: readonly number[]): Promise<Nginx> {
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-proxy-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  const configuration = `
    daemon off; master_process off; pid ${directory}/pid; error_log stderr warn;
    events { worker_connections 512; }
    http {
      access_log off;
      ${temporary.join(' ')}
      upstream replicas {
        ${ports.map((it) => `server 127.0.0.1:${it} max_fails=0;`).join(' ')}
        keepalive 32;
        keepalive_timeout 1s;
      }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://replicas;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Host $http_host;
        }
      }
    }`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration);
  let stderr = '';
  const child = spawn(NGINX, ['-c', file, '-p', directory, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const ended = once(child, 'close');
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${stderr}`);
      const socket = connect(port, '127.0.0.1');
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      return isOpen;
    },
    () => `nginx listens: ${stderr}`,
  );
  return {
    port,
    get stderr() {
      return stderr;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}
