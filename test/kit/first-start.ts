import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { promisify } from 'node:util';
import { isAbsent } from './installed.js';

/** The curl line of the demo app, as printed. */
export const curlLine = (banner: string) =>
  /The demo app in the sandbox:\n +(curl .*)\n/.exec(banner)?.[1] ?? '';
export const demoUrl = (banner: string) => /(http:\S+)$/.exec(curlLine(banner))?.[1] ?? '';
export const apiKey = (banner: string) => /wrn_[0-9a-f]{32}/.exec(banner)?.[0] ?? '';

/** GET with the API key, to loopback whatever the URL's name: not every resolver knows `*.localhost`. */
export function open(url: string, key: string): Promise<{ status: number; text: string }> {
  return send(url, { 'x-api-key': key });
}

/** On a connection of its own. */
async function send(url: string, headers: Record<string, string>, body?: string) {
  const { host, port, pathname } = new URL(url);
  const method = body === undefined ? 'GET' : 'POST';
  const options = { host: '127.0.0.1', port, path: pathname, method, agent: false };
  const outbound = request({ ...options, headers: { host, ...headers } }).end(body);
  const [response] = (await once(outbound, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

const hasCurl = !isAbsent('curl', 'curl', '--version');

/** What does the work of `paste`, for the names of tests. */
export const PASTED_WITH = hasCurl ? 'curl' : 'node:http';

/** What a printed curl line prints when it is pasted. Without curl the shell reads it all the same, and we do what it says. */
export const paste = hasCurl ? runInShell : readByShell;

async function runInShell(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line]);
  return stdout;
}

/** Knows the options that the banner uses: `-H`, `-d`. */
async function readByShell(line: string): Promise<string> {
  const words = (await runInShell(`curl() { printf '%s\\0' "$@"; }\n${line}`)).split('\0').slice(0, -1);
  const headers: Record<string, string> = {};
  let url = '';
  let body: string | undefined;
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === '-H') {
      const [name = '', value = ''] = (words.shift() ?? '').split(': ');
      headers[name] = value;
    } else if (word === '-d') body = words.shift();
    else url = word;
  }
  return (await send(url, headers, body)).text;
}
