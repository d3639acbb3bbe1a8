import { ValidateBy } from 'class-validator';

/** Bytes of the JSON text. */
const MAX_BYTES = 16_384;

/** Accepts a member of a body that is a JSON object of at most 16 KiB. */
export function IsMetadata(): PropertyDecorator {
  return ValidateBy({
    name: 'isMetadata',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Buffer.byteLength(JSON.stringify(value)) <= MAX_BYTES,
      defaultMessage: () => `$property must be an object of at most ${MAX_BYTES} bytes`,
    },
  });
}
