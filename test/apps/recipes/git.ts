import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProgramAccess, Recipe } from '../recipe.js';

/** Python's server for CGI programs, with git's. */
const SERVER = `import http.server, os, subprocess

class Git(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        env = dict(os.environ, GIT_PROJECT_ROOT=os.getcwd(), GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path,
            QUERY_STRING=query, REQUEST_METHOD=self.command, CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=str(len(body)), HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
            GIT_PROTOCOL=self.headers.get("Git-Protocol", ""), REMOTE_USER="visitor")
        answer = subprocess.run(["git", "http-backend"], env=env, input=body, stdout=subprocess.PIPE).stdout
        head, _, content = answer.partition(b"\\r\\n\\r\\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\\r\\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    do_POST = do_GET

http.server.ThreadingHTTPServer(("localhost", 8000), Git).serve_forever()
`;

export const git: Recipe = {
  name: 'git',
  title: 'git over HTTP',
  version: '2.39',
  packages: { debian: { git: '/usr/bin/git' } },
  files: { 'server.py': SERVER },
  prepare: 'rm -rf project.git && git init --quiet --bare --initial-branch main project.git',
  start: 'python3 server.py',
  ports: [8000],
  access: 'key',
  tried: 'clone, push of 3 MB in chunks, clone again',
  note: '`git -c http.extraHeader="X-API-Key: …" clone https://8000-cl-….example.com/project.git`. Behind the port is git’s own `git http-backend`.',
  async use({ program, word }) {
    const directory = mkdtempSync(join(tmpdir(), 'apps-git-'));
    const { settings, env } = reach(program);
    const run = (words: string[], cwd: string) =>
      promisify(execFile)('git', [...settings, ...words], { cwd, env });
    try {
      await run(['clone', `${program.url}/project.git`, 'one'], directory);
      const one = join(directory, 'one');
      await promisify(execFile)('sh', ['-c', `head -c 3000000 /dev/urandom > noise; echo ${word} > word`], {
        cwd: one,
      });
      await run(['checkout', '-B', word], one);
      await run(['add', '.'], one);
      await run(['-c', 'user.name=A', '-c', 'user.email=a@example.test', 'commit', '-m', word], one);
      await run(['push', 'origin', word], one);
      await run(['clone', '--branch', word, `${program.url}/project.git`, 'two'], directory);
      const read = readFileSync(join(directory, 'two/word'), 'utf8');
      if (read !== `${word}\n`) throw new Error(`the second clone has: ${read}`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

/** Settings for the way there, and the environment for the authority: a variable goes before the setting. */
function reach({ url, headers, caFile }: ProgramAccess): { settings: string[]; env: NodeJS.ProcessEnv } {
  const { hostname, port } = new URL(url);
  const settings = Object.entries(headers).map(([name, value]) => `http.extraHeader=${name}: ${value}`);
  if (caFile !== '') settings.push(`http.curloptResolve=${hostname}:${port}:127.0.0.1`);
  const authority = caFile === '' ? {} : { GIT_SSL_CAINFO: caFile };
  return {
    settings: settings.flatMap((setting) => ['-c', setting]),
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...authority },
  };
}
