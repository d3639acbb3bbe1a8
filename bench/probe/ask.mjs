import { connect } from 'node:net';
import { join } from 'node:path';

/** Sends a command to the probe in process `pid` and returns its answer. */
export async function ask(directory, pid, command, options = {}) {
  const socket = connect(join(directory, `${pid}.sock`));
  socket.write(JSON.stringify({ command, ...options }));
  let text = '';
  for await (const chunk of socket) text += chunk;
  const answer = JSON.parse(text);
  if (answer.error !== undefined) throw new Error(`probe in ${pid}: ${answer.error}`);
  return answer;
}
