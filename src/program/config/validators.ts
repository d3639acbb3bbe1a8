import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { ValidateBy, type ValidationOptions } from 'class-validator';

/** Makes a decorator that accepts what `test` accepts. The variable itself says what is wanted, for the message. */
function accepts(name: string, test: (value: string) => boolean) {
  return (options?: ValidationOptions): PropertyDecorator =>
    ValidateBy(
      { name, validator: { validate: (value: unknown) => typeof value === 'string' && test(value) } },
      options,
    );
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
export function isNetwork(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

function isPlainHttpUrl(value: string): boolean {
  if (!/^https?:\/\/[^/?#@\\\s]+\/?$/i.test(value)) return false;
  return URL.canParse(value);
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}

/** True if `read` accepts the text of the file. */
function isFileFor(path: string, read: (text: string) => unknown): boolean {
  try {
    read(readFileSync(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}

const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

export const IsNetwork = accepts('isNetwork', isNetwork);
export const IsPlainHttpUrl = accepts('isPlainHttpUrl', isPlainHttpUrl);
export const IsPostgresUrl = accepts('isPostgresUrl', isPostgresUrl);
export const IsCertificateFile = accepts('isCertificateFile', (path) =>
  isFileFor(path, (text) => new X509Certificate(text)),
);
export const IsPrivateKeyFile = accepts('isPrivateKeyFile', (path) => isFileFor(path, createPrivateKey));
export const IsDomain = accepts('isDomain', (value) => DOMAIN.test(value));
/** At least 16 printable characters without a space, so that it can travel in a header. */
export const IsToken = accepts('isToken', (value) => /^[\x21-\x7e]{16,}$/.test(value));
export const IsListenAddress = accepts(
  'isListenAddress',
  (value) => isIP(value) !== 0 || DOMAIN.test(value.toLowerCase()),
);
