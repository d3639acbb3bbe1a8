import { Param, type PipeTransform } from '@nestjs/common';
import { ValidateBy } from 'class-validator';
import { NotFoundError } from '../errors/request.errors.js';
import { decodeId, type ResourceKind } from './resource-id.js';

/** Turns a path parameter `host-…` into its UUID. A malformed id is answered like an unknown one: 404. */
export class ResourceIdPipe implements PipeTransform<string, string> {
  /** @param what the resource's name in the message, e.g. `host` */
  constructor(
    private readonly kind: ResourceKind,
    private readonly what: string,
  ) {}

  transform(id: string): string {
    const uuid = decodeId(this.kind, id);
    if (uuid === null) throw new NotFoundError(this.what);
    return uuid;
  }
}

/** The UUID of the sandbox that the path parameter `id` names. */
export const SandboxId = (): ParameterDecorator => Param('id', new ResourceIdPipe('cl', 'sandbox'));

/** Accepts a member of a body that is a public id of that kind. */
export function IsResourceId(kind: ResourceKind): PropertyDecorator {
  return ValidateBy({
    name: 'isResourceId',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && decodeId(kind, value) !== null,
      defaultMessage: () => `$property must be an id like ${kind}-…`,
    },
  });
}
