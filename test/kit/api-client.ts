import type { StartedApp } from './app.js';

/** A JSON answer; `body` is `undefined` where there is none. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** The members that tests read; the exact shape is for each test to state. */
export interface AnyBody {
  readonly [name: string]: unknown;
  readonly id: string;
  readonly key: string;
  readonly urlTemplate: string;
  readonly items: readonly AnyBody[];
  readonly next: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly problems: readonly string[] };
}

export type Call = (method: string, path: string, body?: unknown) => Promise<Answer<AnyBody>>;

/** Calls the API with these headers; `body` is sent as JSON. */
export function caller(url: string, headers: Readonly<Record<string, string>> = {}): Call {
  return async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as AnyBody,
    };
  };
}

/** Who calls: the operator by token, a team by key. */
export function asOperator({ url, adminToken }: StartedApp): Call {
  return caller(url, { authorization: `Bearer ${adminToken}` });
}

/** A fresh team with its first key. */
export async function newTeam(started: StartedApp): Promise<{ id: string; key: string; call: Call }> {
  const operator = asOperator(started);
  const team = await operator('POST', '/v1/teams', { name: 'Team' });
  const { body } = await operator('POST', `/v1/teams/${team.body.id}/api-keys`, { name: 'first' });
  return { id: team.body.id, key: body.key, call: caller(started.url, { 'x-api-key': body.key }) };
}
