import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Body, Controller, Delete, HttpCode, Param, Post } from '@nestjs/common';
import { Settings } from './settings.js';
import { Tables } from './tables.js';
import { issueToken } from './token.js';

@Controller()
export class CredentialsController {
  constructor(
    private readonly tables: Tables,
    private readonly settings: Settings,
  ) {}

  @Post('keys')
  createKey(@Body() { owner }: { owner: string }): { id: string; key: string } {
    const id = randomUUID();
    const key = `machines-${randomBytes(16).toString('hex')}`;
    this.tables.keys.set(createHash('sha256').update(key).digest('hex'), { id, owner });
    return { id, key };
  }

  @Delete('keys/:id')
  @HttpCode(204)
  deleteKey(@Param('id') id: string): void {
    for (const [digest, key] of this.tables.keys) {
      if (key.id !== id) continue;
      this.tables.keys.delete(digest);
      this.tables.events.emit('changed', { table: 'keys', row: digest });
    }
  }

  @Post('tokens')
  createToken(@Body() { owner, seconds }: { owner: string; seconds: number }): { id: string; token: string } {
    return issueToken(owner, seconds, this.settings.tokenSecret);
  }

  @Delete('tokens/:id')
  @HttpCode(204)
  revokeToken(@Param('id') id: string): void {
    this.tables.revokedTokens.add(id);
    this.tables.events.emit('changed', { table: 'tokens', row: id });
  }
}
