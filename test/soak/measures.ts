import { alignedColumns } from '../harness/aligned-columns.ts';
import { trendOf, type Allowance, type Sample, type Trend } from './trend.ts';

/** What is looked at in a running process, in the order of the table. Garbage is collected before each look. */
export const MEASURES = {
  'heap MiB': { share: 0.08, least: 4 },
  'external MiB': { share: 0.3, least: 8 },
  'RSS MiB': { share: 0.15, least: 32 },
  resources: { share: 0.2, least: 6 },
  'ring blocks': { share: 0.5, least: 32 },
  'dirty documents': { share: 0.5, least: 400 },
  'cached customers': { share: 0.1, least: 100 },
  // The heap keeps entries of deadlines that moved, up to four times the customers.
  'deadlines in memory': { share: 0.25, least: 4_000 },
  'event loop p99 ms': { share: 1, least: 100 },
  'lag seconds': { share: 1, least: 10 },
} as const satisfies Record<string, Allowance>;

export type MeasureName = keyof typeof MEASURES;

/** One look at a process. */
export type Look = Readonly<Record<MeasureName, number>> & {
  /** Since its start. */
  readonly minutes: number;
};

export interface Judged extends Trend {
  readonly measure: MeasureName;
}

/** Judges every measure over the looks after the warm-up. */
export function judgeLooks(looks: readonly Look[], warmUpMinutes: number): Judged[] {
  const warm = looks.filter(({ minutes }) => minutes >= warmUpMinutes);
  return (Object.keys(MEASURES) as MeasureName[]).map((measure) => {
    const samples = warm.map((look): Sample => ({ minutes: look.minutes, value: look[measure] }));
    return { measure, ...trendOf(samples, MEASURES[measure]) };
  });
}

export function tableOf(judged: readonly Judged[]): string {
  const rows = judged.map(({ measure, median, growth, lower, upper, allowed, grows }) => [
    measure,
    shown(median),
    `${signed(growth)} (${signed(lower)} to ${signed(upper)})`,
    shown(allowed),
    grows ? 'GROWS' : 'flat',
  ]);
  return alignedColumns([['measure', 'median', 'grew by (99 %)', 'allowed', 'verdict'], ...rows]);
}

const shown = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 1 });
const signed = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: 1, signDisplay: 'always' });
