import { randomBytes } from 'node:crypto';
import { SecretFile } from './secret-file.js';

/** The operator's token, if ADMIN_TOKEN is not set: generated at the first start and kept in the data directory. */
export function keptAdminToken(dataDir: string): { readonly token: string; readonly path: string } {
  const file = new SecretFile(dataDir, 'admin-token');
  const token = file.read() ?? randomBytes(24).toString('hex');
  if (file.read() === null) file.write(token);
  return { token, path: file.path };
}
