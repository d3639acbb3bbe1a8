import type { PipeTransform } from '@nestjs/common';
import { ValidationFailedError } from '../errors/request.errors.js';

/** Parses a path parameter that must be a port. @throws ValidationFailedError for anything but 1 to 65535 */
export class PortPipe implements PipeTransform<string, number> {
  transform(text: string): number {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port < 1 || port > 65_535) throw new ValidationFailedError(['port must be from 1 to 65535']);
    return port;
  }
}
