import { Injectable, type OnModuleDestroy } from '@nestjs/common';

/** Whether the program still wants traffic. Whatever stops the program calls `drain`. */
@Injectable()
export class Lifecycle implements OnModuleDestroy {
  private hasBegunToDrain = false;

  get isDraining(): boolean {
    return this.hasBegunToDrain;
  }

  /** From now on `/readyz` answers 503, so that load balancers send new clients elsewhere. */
  drain(): void {
    this.hasBegunToDrain = true;
  }

  onModuleDestroy(): void {
    this.drain();
  }
}
