import { API_KEY } from '../platform/identities.mjs';
import { OPEN_FILES } from '../platform/processes.mjs';

/** One worker, keep-alive to the upstream, no log, no buffering of bodies (it would spool the large ones to disk). */
export function nginxConfiguration({ port, upstreamPort, directory }) {
  return `${process.getuid() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile ${OPEN_FILES};
pid ${directory}/nginx-${port}.pid;
error_log ${directory}/nginx.stderr error;
events { worker_connections ${OPEN_FILES}; }
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${directory}/nginx-body;
  proxy_temp_path ${directory}/nginx-proxy;
  fastcgi_temp_path ${directory}/nginx-fastcgi;
  uwsgi_temp_path ${directory}/nginx-uwsgi;
  scgi_temp_path ${directory}/nginx-scgi;
  keepalive_requests 1000000000;
  map $http_upgrade $upgrade_or_nothing { default upgrade; '' ''; }
  upstream agent {
    server 127.0.0.1:${upstreamPort};
    keepalive 4096;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    server_name "~^(?<sandbox_port>\\d+)-(?<sandbox_id>cl-[0-9a-z]+)\\.";
    location / {
      if ($http_x_api_key != "${API_KEY}") { return 401; }
      proxy_pass http://agent/proxy/$sandbox_id/$sandbox_port$request_uri;
      proxy_http_version 1.1;
      proxy_set_header Host agent;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upgrade_or_nothing;
      proxy_set_header X-API-Key "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto http;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
    }
  }
}
`;
}
