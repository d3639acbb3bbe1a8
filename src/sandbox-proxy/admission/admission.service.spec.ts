import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askedWith } from '../../../test/kit/admission-fakes.js';
import { collectNestLog } from '../../../test/kit/collecting-logger.js';
import type { Change } from '../contracts/changes.js';
import {
  type Admission,
  type AdmissionRequest,
  CredentialScheme,
  type FoundCredential,
} from '../contracts/credential-scheme.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import {
  DirectoryUnavailableError,
  SessionEndedError,
  TooManyLookupsError,
  UnauthorizedError,
} from '../errors.js';
import { AdmissionService } from './admission.service.js';

type Answer = () => MaybePromise<Admission | null>;

/** Finds its credential in the header of its name, and answers as it is told. */
class HeaderScheme extends CredentialScheme {
  readonly forgotten: Change[] = [];

  constructor(
    readonly name: string,
    override readonly refusal: string | null,
    private readonly answer: (admission: Admission) => MaybePromise<Admission | null>,
  ) {
    super();
  }

  find({ request }: AdmissionRequest): FoundCredential | null {
    const value = request.headers[this.name];
    return value === undefined ? null : { secret: String(value), header: this.name };
  }

  admit(): MaybePromise<Admission | null> {
    return this.answer({ scheme: this, teamId: `team of ${this.name}`, restsOn: [] });
  }

  async stillHold(admissions: readonly Admission[]): Promise<readonly boolean[]> {
    return admissions.map(() => true);
  }

  override forget(change: Change): void {
    this.forgotten.push(change);
    if (this.name === 'broken') throw new Error('no');
  }
}

const yes = (name: string) => new HeaderScheme(name, `no such ${name}`, (admission) => admission);
const no = (name: string) => new HeaderScheme(name, `no such ${name}`, () => null);
const lateYes = (name: string) => new HeaderScheme(name, `no such ${name}`, async (admission) => admission);
const lateNo = (name: string) => new HeaderScheme(name, `no such ${name}`, async () => null);
const silent = (name: string) => new HeaderScheme(name, null, () => null);

function fails(): never {
  throw new Error('secret of the store');
}

const log = collectNestLog();

/** What comes of a request with these headers; what is thrown at once as a rejection. */
async function admit(
  schemes: readonly CredentialScheme[],
  headers: string[],
  refusal: string | TooManyLookupsError | null = null,
) {
  const asked = askedWith(headers.flatMap((name) => [name, 'x']));
  return (await new AdmissionService(schemes).admit(asked, refusal)).teamId;
}

describe('admission', () => {
  it('is at once where the scheme knows at once', () => {
    expect(new AdmissionService([yes('a')]).admit(askedWith(['a', 'x']), null)).toMatchObject({
      teamId: 'team of a',
    });
  });

  it.each<[string, CredentialScheme[], string[], string]>([
    ['the first whose credential is there', [yes('a'), yes('b')], ['b'], 'team of b'],
    ['the first in the order of the schemes', [yes('a'), yes('b')], ['b', 'a'], 'team of a'],
    ['a later one where the first credential is no good', [no('a'), yes('b')], ['a', 'b'], 'team of b'],
    ['a later one where the first turns out no good', [lateNo('a'), lateYes('b')], ['a', 'b'], 'team of b'],
    ['one that knows at once behind one that does not', [lateNo('a'), yes('b')], ['a', 'b'], 'team of b'],
  ])('is by %s', async (_which, schemes, headers, team) => {
    expect(await admit(schemes, headers)).toBe(team);
  });

  it.each<[string, CredentialScheme[], string[], string | null]>([
    ['X-API-Key header required', [yes('a'), yes('b')], [], null],
    ['X-API-Key header required', [silent('a')], ['a'], null],
    ['no such a', [no('a'), no('b')], ['a'], null],
    ['no such a', [no('a'), no('b')], ['b', 'a'], null],
    ['no such a', [lateNo('a'), no('b')], ['a', 'b'], null],
    ['no such b', [silent('a'), lateNo('b')], ['a', 'b'], null],
    ['the link is old', [no('a')], ['a'], 'the link is old'],
    ['the link is old', [lateNo('a'), lateNo('b')], ['a', 'b'], 'the link is old'],
  ])('by nothing says "%s"', async (message, schemes, headers, refusal) => {
    await expect(admit(schemes, headers, refusal)).rejects.toThrow(new UnauthorizedError(message));
  });
});

// a cookie that nobody was given, from an address that had used up its budget, kept everything else out that the request had

describe('a credential that is not looked at because its client has asked too much', () => {
  const REFUSING = [
    new HeaderScheme('a', null, () => {
      throw new TooManyLookupsError();
    }),
    new HeaderScheme('a', null, () => Promise.reject(new TooManyLookupsError())),
  ];

  it.each(REFUSING)('keeps no other out', async (scheme) => {
    expect(await admit([scheme, yes('b')], ['a', 'b'])).toBe('team of b');
    expect(await admit([scheme, lateNo('b'), lateYes('c')], ['a', 'b', 'c'])).toBe('team of c');
  });

  it.each(REFUSING)('is not known to be no good where nothing else admits', async (scheme) => {
    for (const other of [no('b'), lateNo('b')])
      await expect(admit([scheme, other], ['a', 'b'])).rejects.toThrow(TooManyLookupsError);
  });
});

describe('a link that is not looked at because its client has asked too much', () => {
  const tooMany = new TooManyLookupsError();

  it('keeps no credential out', async () => {
    expect(await admit([no('a'), yes('b')], ['a', 'b'], tooMany)).toBe('team of b');
    expect(await admit([lateNo('a'), lateYes('b')], ['a', 'b'], tooMany)).toBe('team of b');
  });

  it('is not known to be no good where nothing else admits', async () => {
    for (const other of [no('a'), lateNo('a'), silent('a')])
      await expect(admit([other], ['a'], tooMany)).rejects.toBe(tooMany);
  });
});

describe('a scheme whose credential has admitted, and does so no more', () => {
  const ended = new SessionEndedError('expired');
  const ENDED = [
    new HeaderScheme('a', 'no such a', () => {
      throw ended;
    }),
    new HeaderScheme('a', 'no such a', () => Promise.reject(ended)),
  ];

  it.each(ENDED)('keeps no other out', async (scheme) => {
    expect(await admit([scheme, yes('b')], ['a', 'b'])).toBe('team of b');
    expect(await admit([scheme, lateNo('b'), lateYes('c')], ['a', 'b', 'c'])).toBe('team of c');
  });

  it.each(ENDED)('is what the client is told where nothing else admits', async (scheme) => {
    for (const schemes of [[scheme], [scheme, no('b')], [no('b'), scheme], [scheme, lateNo('b')]])
      await expect(admit(schemes, ['a', 'b'], 'the link is old')).rejects.toBe(ended);
  });

  it('is told of after the link that has just been opened', async () => {
    const link = new SessionEndedError('used', 'link');
    const service = new AdmissionService(ENDED);
    await expect((async () => service.admit(askedWith(['a', 'x']), link))()).rejects.toBe(link);
  });

  it('is not told of where another one could not ask', async () => {
    const [busy] = [
      new HeaderScheme('b', null, () => {
        throw new TooManyLookupsError();
      }),
    ];
    for (const schemes of [
      [...ENDED, busy],
      [busy, ...ENDED],
    ])
      await expect(admit(schemes, ['a', 'b'])).rejects.toThrow(TooManyLookupsError);
  });
});

describe('a scheme of the application', () => {
  const broken = (answer: Answer) => new HeaderScheme('a', null, answer);

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<[string, unknown]>([
    ['a text', 'team'],
    ['true', true],
    ['undefined', undefined],
    ['an empty object', {}],
    ['no team', { restsOn: [] }],
    ['nothing that it rests on', { teamId: 'team' }],
  ])('that answers %s admits nobody, at once or later', async (_what, answer) => {
    const wrong = answer as Admission;
    for (const scheme of [broken(() => wrong), broken(async () => wrong)])
      await expect(admit([scheme, yes('b')], ['a', 'b'])).rejects.toThrow(DirectoryUnavailableError);
  });

  it.each<[string, Answer]>([
    ['throws', fails],
    ['rejects', async () => fails()],
  ])('that %s is not available, and its credential is not taken for a bad one', async (_what, answer) => {
    await expect(admit([broken(answer), yes('b')], ['a', 'b'])).rejects.toThrow(DirectoryUnavailableError);
    await expect(admit([yes('b'), broken(answer)], ['a', 'b'])).resolves.toBe('team of b');
  });

  it('that throws while it looks for its credential is not available either', async () => {
    const scheme = broken(() => null);
    scheme.find = fails;
    await expect(admit([scheme], [])).rejects.toThrow(DirectoryUnavailableError);
  });

  it('may refuse in its own words', async () => {
    const scheme = broken(() => {
      throw new TooManyLookupsError();
    });
    await expect(admit([scheme], ['a'])).rejects.toThrow(TooManyLookupsError);
  });

  it('that does not answer is not available after 10 s', async () => {
    const outcome = Promise.allSettled([admit([broken(() => new Promise(() => undefined))], ['a'])]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toEqual([{ status: 'rejected', reason: expect.any(DirectoryUnavailableError) }]);
  });

  it('that fails to forget keeps no other from it', () => {
    const schemes = [silent('a'), silent('broken'), silent('b')];
    new AdmissionService(schemes).forget({ kind: 'everything' });
    for (const { forgotten } of schemes) expect(forgotten).toEqual([{ kind: 'everything' }]);
    expect(log.lines).toEqual(['error: the scheme broken failed to forget (Error: no)']);
  });
});
