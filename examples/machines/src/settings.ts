import { Injectable } from '@nestjs/common';

/** From the environment. Both secrets have no default: the application does not start without them. */
@Injectable()
export class Settings {
  readonly port = Number(process.env['PORT'] ?? 3000);
  readonly host = process.env['HOST'] ?? '127.0.0.1';
  readonly sandboxDomain = process.env['SANDBOX_DOMAIN'] ?? 'sandboxes.localhost';
  readonly staffPassword = required('STAFF_PASSWORD');
  readonly tokenSecret = required('TOKEN_SECRET');
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} must be set`);
  return value;
}
