// The bench's own load generator, in a process of its own: `node generator.mjs <kind>`, options as one line of JSON on stdin,
// result as the last line of stdout. Loads with a beginning print `{"counting":true}` when it is over.
import { each, http, storm } from './http-generator.mjs';
import { download, sse, upload } from './stream-generator.mjs';
import { websocketEcho, websocketIdle } from './websocket-generator.mjs';

const kinds = { http, each, storm, download, upload, sse, websocketEcho, websocketIdle };

function firstLine() {
  return new Promise((resolve) => {
    let text = '';
    process.stdin.setEncoding('utf8').on('data', function read(part) {
      text += part;
      if (!text.includes('\n')) return;
      process.stdin.off('data', read);
      process.stdin.pause();
      resolve(text);
    });
  });
}

const result = await kinds[process.argv[2]](JSON.parse(await firstLine()));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
