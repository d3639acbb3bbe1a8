import { Module } from '@nestjs/common';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';

/** `SessionService`, which knows whom a browser's cookie admits. */
@Module({ providers: [SessionRepository, SessionService], exports: [SessionService] })
export class SessionsModule {}
