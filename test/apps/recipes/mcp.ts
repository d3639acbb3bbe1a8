import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Recipe } from '../recipe.js';

export const mcp: Recipe = {
  name: 'mcp',
  title: 'An MCP server over streamable HTTP',
  version: '1.32.2',
  packages: { npm: { '@modelcontextprotocol/sdk': '1.32.2', express: '5.3.0', zod: '4.6.7' } },
  files: {
    'server.js': `import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
const app = createMcpExpressApp();
const transports = new Map();
app.all('/mcp', async (request, answer) => {
  let transport = transports.get(request.headers['mcp-session-id']);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => transports.set(id, transport),
    });
    const server = new McpServer({ name: 'greeter', version: '1.0.0' }, { capabilities: { logging: {} } });
    server.registerTool('greet', { inputSchema: { word: z.string() } }, async ({ word }, { sendNotification }) => {
      await sendNotification({ method: 'notifications/message', params: { level: 'info', data: 'noted: ' + word } });
      return { content: [{ type: 'text', text: 'said: ' + word }] };
    });
    await server.connect(transport);
  }
  await transport.handleRequest(request, answer, request.body);
});
app.listen(3000, 'localhost');
`,
    // The client that people use; it finds the sandbox's name at this machine.
    'client.js': `import dns from 'node:dns';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
const [url, headers, word] = process.argv.slice(2);
if (url.startsWith('https:'))
  dns.lookup = (_name, { all }, found) =>
    all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4);
const client = new Client({ name: 'visitor', version: '1.0.0' });
const noted = new Promise((resolve) =>
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => resolve(params.data)),
);
const transport = new StreamableHTTPClientTransport(new URL(url + '/mcp'), { requestInit: { headers: JSON.parse(headers) } });
await client.connect(transport);
const { content } = await client.callTool({ name: 'greet', arguments: { word } });
console.log(content[0].text, await noted);
await transport.terminateSession();
await client.close();
`,
  },
  start: 'node server.js',
  ports: [3000],
  access: 'key',
  tried: 'a session, a tool, a notification, the end of the session, with the SDK’s client',
  async use({ app, program, word }) {
    const words = ['client.js', program.url, JSON.stringify(program.headers), word];
    const env = { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: program.caFile };
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      cwd: app.directory,
      env,
      timeout: 30_000,
    });
    if (stdout !== `said: ${word} noted: ${word}\n`) throw new Error(`the client printed: ${stdout}`);
  },
};
