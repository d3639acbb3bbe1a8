import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Whether the program still wants traffic. Whatever stops the program calls `drain`. */
@Injectable()
export class Lifecycle implements OnModuleDestroy {
  #isDraining = false;

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** From now on `/readyz` answers 503, so that load balancers send new clients elsewhere. */
  drain(): void {
    this.#isDraining = true;
  }

  onModuleDestroy(): void {
    this.drain();
  }
}
