import { describe, expect, it } from 'vitest';
import { Configuration } from '../../program/config/configuration.js';
import { sandboxUrlTemplate } from './sandbox-url-template.js';

describe("a sandbox's URL", () => {
  it.each<[Partial<Configuration>, string]>([
    [{}, 'http://{port}-cl-1.localhost:8123'],
    [{ SANDBOX_DOMAINS: ['a.example', 'b.example'] }, 'http://{port}-cl-1.a.example:8123'],
    [{ PUBLIC_URL: 'https://example.com' }, 'https://{port}-cl-1.example.com'],
    [
      { PUBLIC_URL: 'https://example.com:8443', SANDBOX_DOMAINS: ['a.example'] },
      'https://{port}-cl-1.example.com:8443',
    ],
  ])('with %j is %s', (settings, url) => {
    expect(sandboxUrlTemplate({ ...new Configuration(), ...settings }, 8123, 'cl-1')).toBe(url);
  });
});
