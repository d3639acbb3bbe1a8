import { describe, expect, it } from 'vitest';
import type { ApiKeyService } from '../../platform/api-keys/api-key.service.js';
import { UnauthorizedError } from '../errors.js';
import { SandboxAddress } from '../address/sandbox-address.js';
import { AdmissionService } from './admission.service.js';
import { ApiKeyScheme } from './api-key.scheme.js';
import type { Admission, AdmissionRequest, CredentialScheme } from './credential-scheme.js';

const address = new SandboxAddress(80, 'cl-x', '80-cl-x.localhost');
const request = (...rawHeaders: string[]): AdmissionRequest => ({
  rawHeaders,
  address,
  isSecure: false,
  client: '',
});

/** Admits the key "wrn_good" to team "t". */
const scheme = new ApiKeyScheme({
  findTeam: (key: string) => (key === 'wrn_good' ? { teamId: 't', keyId: 'k', keyHash: 'h' } : null),
} as unknown as ApiKeyService);

describe('the API key of a request', () => {
  it.each<[string[], string | null]>([
    [['X-API-Key', 'wrn_good'], 'wrn_good'],
    [['x-api-KEY', 'wrn_good'], 'wrn_good'],
    [['X-API-Key', 'theirs', 'X-API-Key', 'wrn_good'], 'wrn_good'],
    [['X-API-Key', 'wrn_good', 'X-API-Key', 'theirs'], 'wrn_good'],
    [['X-API-Key', 'theirs'], 'theirs'],
    [['X-API-Key', ''], ''],
    [['X_API_Key', 'wrn_good'], null],
    [['X-API-Keys', 'wrn_good', 'Accept', 'wrn_good'], null],
    [[], null],
  ])('of %j is %j', (rawHeaders, key) => {
    expect(scheme.find(request(...rawHeaders))).toBe(key);
  });
});

describe('admission', () => {
  const admission = new AdmissionService([scheme]);

  it('gives the team, at once where memory has it', () => {
    expect(admission.admit(request('X-API-Key', 'wrn_good'))).toMatchObject({ teamId: 't' });
  });

  it.each<[string, AdmissionRequest]>([
    ['X-API-Key header required', request()],
    ['invalid API key', request('X-API-Key', 'wrn_bad')],
    ['invalid API key', request('X-API-Key', '')],
  ])('says "%s"', (message, refused) => {
    expect(() => admission.admit(refused)).toThrow(new UnauthorizedError(message));
  });

  it('takes a further kind of credential as one more class in the list', async () => {
    const key = { teamId: 'by-link', keyId: 'k', keyHash: 'h' };
    const byLink: Admission = { teamId: 'by-link', ground: { kind: 'key', key } };
    const link: CredentialScheme = {
      refusal: 'the link has expired',
      find: ({ rawHeaders }) => rawHeaders[1] ?? null,
      admit: async (credential) => (credential === 'signed' ? byLink : null),
    };
    const both = new AdmissionService([scheme, link]);
    expect(await both.admit(request('Link', 'signed'))).toBe(byLink);
    expect(await both.admit(request('X-API-Key', 'wrn_good'))).toMatchObject({ teamId: 't' });
    await expect(both.admit(request('Link', 'old'))).rejects.toThrow('the link has expired');
    const behindKey = { ...link, find: () => 'signed' };
    expect(await new AdmissionService([scheme, behindKey]).admit(request('X-API-Key', "an app's own"))).toBe(
      byLink,
    );
  });
});
