import { describe, expect, it } from 'vitest';
import type { PlatformOptions } from '../platform.options.js';
import { sandboxUrlTemplate } from './sandbox-url-template.js';

describe("a sandbox's URL", () => {
  it.each<[Partial<PlatformOptions>, string]>([
    [{}, 'http://{port}-cl-1.localhost:8123'],
    [{ sandboxDomains: ['a.example', 'b.example'] }, 'http://{port}-cl-1.a.example:8123'],
    [{ publicUrl: 'https://example.com' }, 'https://{port}-cl-1.example.com'],
    [
      { publicUrl: 'https://example.com:8443', sandboxDomains: ['a.example'] },
      'https://{port}-cl-1.example.com:8443',
    ],
  ])('with %j is %s', (settings, url) => {
    expect(sandboxUrlTemplate({ publicUrl: undefined, sandboxDomains: [], ...settings }, 8123, 'cl-1')).toBe(
      url,
    );
  });
});
