import type { VariantName } from './platform.js';
import type { World } from './world.js';

/** One rule, shown by one exchange. */
export interface Case {
  /** `group/name`, unique; `--only` matches part of it. */
  readonly id: string;
  /** What must hold, as one clause. */
  readonly rule: string;
  /** Where the rule comes from: an RFC's section, a CVE, an issue, or a contract of the architecture page. */
  readonly source: string;
  readonly run: (world: World) => Promise<void>;
  /** Default 15 s. */
  readonly timeoutMs?: number;
  /** Measures time, memory or descriptors: runs when nothing else does. */
  readonly alone?: boolean;
  /** Waits for long: starts first. */
  readonly slow?: boolean;
  readonly variant?: VariantName;
}

/** The two doors of the proxy: a rule that applies to both is tried at both. */
export type Door = 'http' | 'upgrade';
export const DOORS: readonly Door[] = ['http', 'upgrade'];
