import type { ServerResponse } from 'node:http';

/** What the agent itself can answer, and with which status. */
export const AGENT_ERROR_STATUS = {
  /** Not HTTP, not `/proxy/{id}/{port}/…`, or an upgrade that carries a body. */
  bad_request: 400,
  /** A port of the machine's own services. */
  port_denied: 403,
  /** Nothing listens on the port. */
  app_unreachable: 502,
  /** The app hung up without an answer, or its answer is not HTTP. */
  app_broken_response: 502,
} as const satisfies Record<string, number>;

export type AgentErrorCode = keyof typeof AGENT_ERROR_STATUS;

/**
 * The agent's own answer: status, headers and body. `X-Sandbox-Error: agent;<code>` tells the control plane that
 * it is not the app who speaks; the agent removes that header from what apps say.
 */
export function agentErrorAnswer(code: AgentErrorCode, message: string) {
  const body = JSON.stringify({ error: { code, message } });
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Sandbox-Error': `agent;${code}`,
  };
  return { status: AGENT_ERROR_STATUS[code], headers, body };
}

/** Sends the agent's own answer. The head must not have been sent. */
export function answerWithError(answer: ServerResponse, code: AgentErrorCode, message: string): void {
  const { status, headers, body } = agentErrorAnswer(code, message);
  answer.statusMessage = '';
  answer.writeHead(status, headers);
  answer.end(body);
}
