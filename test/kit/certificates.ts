import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A certificate and its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const VALID = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate authority made for one test run. */
export async function createAuthority(name: string): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    ...VALID,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A certificate that the authority signed, for an IP address or for a client. */
export async function issue(ca: Certificate, { ip }: { ip?: string } = {}): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: ip ?? 'client' }], {
    ...VALID,
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: ip !== undefined, clientAuth: ip === undefined },
      ...(ip === undefined
        ? []
        : [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip }] }]),
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** Writes texts as files into a directory of its own; their paths, and how to remove them. */
export function asFiles<Name extends string>(
  texts: Readonly<Record<Name, string>>,
): { readonly paths: Record<Name, string>; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-proxy-pem-'));
  const paths = {} as Record<Name, string>;
  for (const name of Object.keys(texts) as Name[]) {
    paths[name] = join(directory, name);
    writeFileSync(paths[name], texts[name], { mode: 0o600 });
  }
  return { paths, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
