import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A small file in the data directory that only its owner can read: `admin-token`, `unshown-api-key`, `demo-port`. */
export class SecretFile {
  readonly path: string;

  constructor(dataDir: string, name: string) {
    this.path = join(resolve(dataDir), name);
  }

  /** Null if there is no such file. */
  read(): string | null {
    try {
      return readFileSync(this.path, 'utf8').trim() || null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** When it returns, the file is on disk, and complete. */
  write(content: string): void {
    const unfinished = `${this.path}.${process.pid}`;
    writeFileSync(unfinished, `${content}\n`, { mode: 0o600, flush: true });
    renameSync(unfinished, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
