import { IsIn, ValidateBy } from 'class-validator';
import { isOrigin } from '../links/origin.validator.js';
import {
  APP_HOSTS,
  type AppHost,
  type CorsSetting,
  type SandboxPort,
  VISIBILITIES,
  type Visibility,
} from './sandbox-port.entity.js';

const MAX_ORIGINS = 50;

export class PutPortBody {
  @IsIn(VISIBILITIES)
  visibility: Visibility = 'private';

  @ValidateBy({
    name: 'isCors',
    validator: {
      validate: isCorsSetting,
      defaultMessage: () =>
        `cors must be "app" or a list of 1 to ${MAX_ORIGINS} origins like https://app.example.com`,
    },
  })
  cors: CorsSetting = 'app';

  @IsIn(APP_HOSTS)
  appHost: AppHost = 'local';
}

/** A port's settings as the API shows them. */
export interface PortView {
  readonly port: number;
  readonly visibility: Visibility;
  readonly cors: CorsSetting;
  readonly appHost: AppHost;
}

export function viewPort({ port, visibility, cors, appHost }: SandboxPort): PortView {
  return { port, visibility, cors, appHost };
}

function isCorsSetting(value: unknown): boolean {
  if (value === 'app') return true;
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= MAX_ORIGINS &&
    value.every((it) => isOrigin(it))
  );
}
