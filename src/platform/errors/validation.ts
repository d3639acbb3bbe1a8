import { type ArgumentMetadata, type ValidationError, ValidationPipe } from '@nestjs/common';
import { ValidationFailedError } from './request.errors.js';
import { requireStorable } from './storable-json.js';

/** Enough to correct a request; a hostile body could have thousands. */
const MOST_PROBLEMS = 50;

/** Bodies and queries must match their DTO: unknown members are refused, and all problems are reported at once. */
class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      stopAtFirstError: true,
      validationError: { target: false, value: false },
      exceptionFactory: (errors) => new ValidationFailedError(problemsOf(errors).slice(0, MOST_PROBLEMS)),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type !== 'custom') requireStorable(value);
    return super.transform(value, metadata);
  }
}

export function createValidationPipe(): ValidationPipe {
  return new RequestValidationPipe();
}

function problemsOf(errors: readonly ValidationError[]): string[] {
  return errors.flatMap(({ constraints, children }) => [
    ...Object.values(constraints ?? {}),
    ...problemsOf(children ?? []),
  ]);
}
