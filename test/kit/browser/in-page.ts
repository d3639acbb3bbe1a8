import type { Frame, Page } from 'playwright-core';

/**
 * Runs an expression in a page and waits for its promise. Text, because a page has other globals than this program: the
 * types of the DOM would let any file here use `document`.
 */
export function inPage<Result>(page: Page | Frame, expression: string): Promise<Result> {
  return page.evaluate<Result>(expression);
}

/** What a request by script came to: the answer's status and text, or that the browser kept it from the page. */
export type Fetched = { readonly status: number; readonly text: string } | 'failed';

export function fetchInPage(page: Page | Frame, url: string, init: object = {}): Promise<Fetched> {
  return inPage(
    page,
    `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)})
       .then(async (answer) => ({ status: answer.status, text: await answer.text() }), () => 'failed')`,
  );
}

/** How a page's attempt at a WebSocket ended: what it said was echoed, or the code it was closed with. */
export function echoInPage(page: Page | Frame, url: string, message = 'hello'): Promise<string | number> {
  return inPage(
    page,
    `new Promise((resolve) => {
       const socket = new WebSocket(${JSON.stringify(url)});
       socket.onopen = () => socket.send(${JSON.stringify(message)});
       socket.onmessage = ({ data }) => { resolve(data); socket.close(); };
       socket.onclose = ({ code }) => resolve(code);
     })`,
  );
}

/** The first event of a stream, or that there was none. */
export function firstEventInPage(page: Page | Frame, url: string, init: object = {}): Promise<string> {
  return inPage(
    page,
    `new Promise((resolve) => {
       const source = new EventSource(${JSON.stringify(url)}, ${JSON.stringify(init)});
       source.onmessage = ({ data }) => { resolve(data); source.close(); };
       source.onerror = () => { resolve('failed'); source.close(); };
     })`,
  );
}

/** Shows a URL in a frame of the page: the frame, loaded. */
export async function frameIn(page: Page, url: string): Promise<Frame> {
  await inPage(
    page,
    `new Promise((resolve) => {
       const frame = document.createElement('iframe');
       frame.onload = resolve;
       frame.src = ${JSON.stringify(url)};
       document.body.replaceChildren(frame);
     })`,
  );
  const [frame] = page.mainFrame().childFrames();
  if (frame === undefined) throw new Error('the page has no frame');
  return frame;
}
