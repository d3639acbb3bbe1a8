import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Whether the program still wants traffic. Whoever ends the program, or stops serving, calls `drain`. */
@Injectable()
export class Lifecycle implements OnModuleDestroy {
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** From now on `/readyz` says no, so that load balancers send new clients elsewhere. */
  drain(): void {
    this.#isDraining = true;
  }

  onModuleDestroy(): void {
    this.drain();
  }
}
