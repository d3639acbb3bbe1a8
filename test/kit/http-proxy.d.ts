/** What the tests use of http-proxy 1.18.1, which brings no types. */
declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http';

  interface ProxyServer {
    on(event: 'error', listener: (error: Error) => void): this;
    web(request: IncomingMessage, response: ServerResponse, options: { target: string }): void;
  }
  const httpProxy: {
    createProxyServer(options: { changeOrigin: boolean; xfwd: boolean; agent: Agent }): ProxyServer;
  };
  export default httpProxy;
}
