import { Injectable } from '@nestjs/common';
import {
  type Admission,
  type AdmissionRequest,
  type Change,
  CredentialScheme,
  type FoundCredential,
} from '@sandbox-control-plane/sandbox-proxy';
import { Settings } from './settings.js';
import { Tables } from './tables.js';
import { readToken } from './token.js';

interface TokenAdmission extends Admission {
  readonly tokenId: string;
}

const REMEMBERED_MAX = 10_000;

/** A further kind of credential: the application's own tokens, as `Authorization: Bearer …`. */
@Injectable()
export class TokenScheme extends CredentialScheme<TokenAdmission> {
  readonly name = 'token';
  override readonly refusal = 'the token has expired or was revoked';
  /** One object per token, for as long as it is good. */
  private readonly admissions = new Map<string, TokenAdmission>();

  constructor(
    private readonly tables: Tables,
    private readonly settings: Settings,
  ) {
    super();
  }

  find({ request }: AdmissionRequest): FoundCredential | null {
    const secret = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    return secret === undefined ? null : { secret, header: 'authorization' };
  }

  admit({ secret }: FoundCredential): TokenAdmission | null {
    const token = readToken(secret, this.settings.tokenSecret);
    if (token === null || this.tables.revokedTokens.has(token.jti)) return null;
    return this.admissions.get(token.jti) ?? this.remember(token.sub, token.jti, token.exp * 1000);
  }

  async stillHold(admissions: readonly TokenAdmission[]): Promise<boolean[]> {
    return admissions.map(({ tokenId }) => !this.tables.revokedTokens.has(tokenId));
  }

  override forget(change: Change): void {
    if (change.kind === 'everything') this.admissions.clear();
    if (change.kind === 'credential' && change.scheme === this.name) this.admissions.delete(change.subject);
  }

  private remember(teamId: string, tokenId: string, expiresAtMs: number): TokenAdmission {
    const restsOn: Change[] = [{ kind: 'credential', scheme: this.name, subject: tokenId }];
    const admission = { scheme: this, teamId, tokenId, restsOn, expiresAtMs };
    if (this.admissions.size === REMEMBERED_MAX) this.admissions.clear();
    this.admissions.set(tokenId, admission);
    return admission;
  }
}
