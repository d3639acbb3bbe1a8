import { ValidateBy, type ValidationOptions } from 'class-validator';

/** True for an origin as browsers send it: scheme, host in lower case, and the port unless it is the scheme's default. */
export function isOrigin(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 300 || !/^https?:\/\/[a-z0-9.:[\]_-]+$/.test(value))
    return false;
  return URL.canParse(value) && new URL(value).origin === value;
}

/** Accepts an origin like `https://app.example.com`. */
export function IsOrigin(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isOrigin',
      validator: {
        validate: isOrigin,
        defaultMessage: () => '$property must be origins like https://app.example.com',
      },
    },
    options,
  );
}
