import type { Services } from '../harness/services.ts';

/** A figure that somebody counts on. */
export interface Target {
  /** Name of the figure it is about. */
  readonly figure: string;
  readonly unit: string;
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

/** What one benchmark found. */
export interface Findings {
  /** By name; those that a target names are judged. */
  readonly figures: Readonly<Record<string, number>>;
  /** What the parts alone reached in the same run, in the unit of the figure that `limits` names. */
  readonly ceilings?: { readonly limits: string; readonly values: Readonly<Record<string, number>> };
  /** Everything else worth knowing. */
  readonly details?: Readonly<Record<string, number>>;
}

export interface Surroundings {
  /** Started by the first benchmark that asks. */
  readonly services: () => Promise<Services>;
  /** How many events the large ones take. */
  readonly events: number;
  /** Where processes leave their CPU profiles; null: they make none. */
  readonly profileFolder: string | null;
  /** Removed at the end of the run. */
  readonly folder: string;
  readonly progress: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  readonly targets: readonly Target[];
  run(surroundings: Surroundings): Promise<Findings>;
}

/** `below 60 %`: not acceptable without an explanation. */
export type Verdict = 'met' | 'under' | 'below 60 %';

/** The share of the target that was reached: 1 and more is met. */
export function shareOf(target: Target, value: number): number {
  return target.bound === 'at least' ? value / target.value : target.value / value;
}

export function verdictOf(share: number): Verdict {
  if (share >= 1) return 'met';
  return share >= 0.6 ? 'under' : 'below 60 %';
}
