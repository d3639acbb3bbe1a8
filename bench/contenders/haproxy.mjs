import { API_KEY } from '../platform/identities.mjs';
import { OPEN_FILES } from '../platform/processes.mjs';

/** One thread, keep-alive to the upstream, no log. */
export function haproxyConfiguration({ port, upstreamPort }) {
  return `global
  nbthread 1
  maxconn ${Math.floor((OPEN_FILES - 200) / 2)}
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout tunnel 1h
frontend sandboxes
  bind 127.0.0.1:${port} backlog 4096
  http-request deny deny_status 401 unless { req.hdr(x-api-key) -m str ${API_KEY} }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-path /proxy/%[req.hdr(host),field(1,.),regsub(^[0-9]+-,)]/%[req.hdr(host),field(1,-)]%[path]
  http-request del-header X-API-Key
  http-request set-header Host agent
  default_backend agent
backend agent
  server agent 127.0.0.1:${upstreamPort} pool-max-conn -1
`;
}
