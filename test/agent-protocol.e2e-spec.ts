import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AGENT_TOKEN, AgentAndRawApp } from './kit/apps/agent-and-raw-app.js';
import type { RawConnection } from './kit/raw-connection.js';

const rig = new AgentAndRawApp();
const PAGE = readFileSync('docs/agent-protocol.md', 'utf8');

/** One exchange of the page: what each of its blocks shows, the app's absent where the agent answers by itself. */
interface Example {
  readonly sent: string;
  readonly received?: string;
  readonly answer?: string;
  readonly answered: string;
}

const ENDS = {
  'control-plane': 'sent',
  'app-receives': 'received',
  'app-answers': 'answer',
  'agent-answers': 'answered',
} as const;

/** The blocks ```http … ``` in turn, each exchange ending with what the agent answers. */
function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  let blocks: Partial<Record<keyof Example, string>> = {};
  for (const [, end, text = ''] of page.matchAll(/```http (\S+)\n(.*?)```/gs)) {
    const key = ENDS[end as keyof typeof ENDS];
    blocks[key] = text;
    if (key !== 'answered') continue;
    examples.push(blocks as Example);
    blocks = {};
  }
  return examples;
}

/** A block's bytes, with the addresses and the secret of this run in place of the page's. */
function bytesOf(block: string): string {
  const [head = '', body = ''] = block.split(/(?<=\n)\n/);
  const text = `${head.replaceAll('\n', '\r\n')}\r\n${body.trimEnd()}`;
  return text
    .replaceAll('127.0.0.1:7000', `127.0.0.1:${rig.agentPort}`)
    .replaceAll('localhost:3000', `localhost:${rig.appPort}`)
    .replaceAll('/3000/', `/${rig.appPort}/`)
    .replaceAll('the-secret-of-this-agent', AGENT_TOKEN);
}

/** The next message, of which the head says how long its body is. */
async function messageOf(connection: RawConnection): Promise<string> {
  const head = await connection.head();
  return head + (await connection.bytes(Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)));
}

/** What the app and the control plane get when the agent does what the page says. */
async function play({ sent, received, answer }: Example): Promise<{ received?: string; answered: string }> {
  const peer = await rig.client();
  peer.send(bytesOf(sent));
  if (received === undefined || answer === undefined) return { answered: await messageOf(peer) };
  const inside = await rig.accept();
  const got = await messageOf(inside);
  inside.send(bytesOf(answer));
  return { received: got, answered: await messageOf(peer) };
}

describe('docs/agent-protocol.md', () => {
  it.each(examplesOf(PAGE).map((example) => [example.sent.split(' HTTP')[0] ?? '', example] as const))(
    'is what the local agent does: %s',
    async (_name, example) => {
      const { received, answered } = example;
      expect(await play(example)).toEqual({
        ...(received === undefined ? {} : { received: bytesOf(received) }),
        answered: bytesOf(answered),
      });
    },
  );

  it('has an example of a request, of an error and of an upgrade', () => {
    expect(examplesOf(PAGE)).toHaveLength(3);
  });
});
