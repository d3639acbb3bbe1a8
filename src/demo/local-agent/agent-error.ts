import type { ServerResponse } from 'node:http';

/** The codes of the agent's own answers, with their statuses. */
export const AGENT_ERROR_STATUS = {
  /** Not HTTP, not `/proxy/{id}/{port}/…`, or an upgrade with a body; with 421: `Host` is not the agent's. */
  bad_request: 400,
  /** No `X-Sandbox-Agent-Token`, or the wrong one. */
  unauthorized: 403,
  /** A sandbox that the agent was not told to run. */
  sandbox_not_found: 404,
  /** A port of the machine's own services. */
  port_denied: 403,
  /** Nothing listens on the port. */
  app_unreachable: 502,
  /** The app hung up without an answer, or its answer is not HTTP. */
  app_broken_response: 502,
} as const satisfies Record<string, number>;

/** RFC 9110 15.5.20: the request is for another server. */
export const MISDIRECTED = 421;

export type AgentErrorCode = keyof typeof AGENT_ERROR_STATUS;

/**
 * The agent's own answer: status, headers and body. `X-Sandbox-Error: agent;<code>` tells the control plane that this
 * is not an answer of the app; the agent removes that header from answers of apps.
 */
export function agentErrorAnswer(
  code: AgentErrorCode,
  message: string,
  status: number = AGENT_ERROR_STATUS[code],
) {
  const body = JSON.stringify({ error: { code, message } });
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Sandbox-Error': `agent;${code}`,
  };
  return { status, headers, body };
}

/** Sends the agent's own answer. The head must not have been sent. */
export function answerWithError(
  answer: ServerResponse,
  ...[code, message, wanted]: Parameters<typeof agentErrorAnswer>
): void {
  const { status, headers, body } = agentErrorAnswer(code, message, wanted);
  answer.statusMessage = '';
  answer.sendDate = false;
  answer.writeHead(status, headers);
  answer.end(body);
}
