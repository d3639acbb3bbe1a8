import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Whether the program still wants traffic. Whoever ends the program, or stops serving, calls `drain`. */
@Injectable()
export class Lifecycle implements OnModuleDestroy {
  private hasBegunToDrain = false;

  get isDraining(): boolean {
    return this.hasBegunToDrain;
  }

  /** From now on `/readyz` says no, so that load balancers send new clients elsewhere. */
  drain(): void {
    this.hasBegunToDrain = true;
  }

  onModuleDestroy(): void {
    this.drain();
  }
}
