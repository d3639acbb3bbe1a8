import { request } from 'node:http';
import { API_KEY, sandboxHost } from '../platform/identities.mjs';

/** One GET and one POST through the contender: what is fast and wrong is not measured. */
export async function verify({ contender, port }) {
  const get = await answer(port, 'GET', '/');
  if (get.status !== 200 || get.body.length !== 100) {
    throw new Error(
      `GET / was answered ${get.status} with ${get.body.length} bytes: ${get.body.slice(0, 200)}`,
    );
  }
  if (contender.id === 'floor') return;
  const post = await answer(port, 'POST', '/echo', 'x'.repeat(1024));
  if (post.status !== 200 || post.body !== '1024') {
    throw new Error(`POST of 1024 bytes was answered ${post.status}: ${post.body.slice(0, 200)}`);
  }
}

function answer(port, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = {
      Host: sandboxHost(1),
      'X-API-Key': API_KEY,
      ...(body === undefined ? {} : { 'Content-Length': body.length }),
    };
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('latin1');
      incoming.on('data', (part) => (text += part));
      incoming.on('end', () => resolve({ status: incoming.statusCode, body: text }));
      incoming.on('error', reject);
    });
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
