import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { alignedColumns } from '../harness/aligned-columns.ts';
import { shareOf, verdictOf, type Benchmark, type Findings, type Target, type Verdict } from './benchmark.ts';

/** On what the figures were taken. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** Over the last 1, 5 and 15 minutes, before the run. */
  readonly loadBefore: readonly number[];
  /** With a plus when files were changed since. */
  readonly commit: string;
}

export interface Judged extends Target {
  readonly measured: number;
  /** Of the target; 1 and more is met. */
  readonly share: number;
  readonly verdict: Verdict;
  /** The lowest ceiling, and what share of it the figure is; null when none limits this figure. */
  readonly ceiling: { readonly name: string; readonly value: number; readonly share: number } | null;
}

export interface Result extends Findings {
  readonly benchmark: string;
  readonly about: string;
  readonly seconds: number;
  readonly loadBefore: readonly number[];
  /** How dear CPU was before it (yardstick.ts). */
  readonly yardstickMs: number;
  readonly targets: readonly Judged[];
}

export function machineOf(root: string): Machine {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  const [cpu] = cpus();
  return { cpu: cpu?.model ?? '?', cores: cpus().length, node: process.version, loadBefore: loadavg(), commit };
}

export function judge(benchmark: Benchmark, findings: Findings): Judged[] {
  return benchmark.targets.map((target) => {
    const measured = findings.figures[target.figure] ?? NaN;
    const share = shareOf(target, measured);
    return {
      ...target,
      measured,
      share,
      verdict: verdictOf(share),
      ceiling: lowestCeiling(target, measured, findings),
    };
  });
}

function lowestCeiling(target: Target, measured: number, { ceilings }: Findings): Judged['ceiling'] {
  if (ceilings?.limits !== target.figure) return null;
  const [lowest] = Object.entries(ceilings.values).sort(([, one], [, other]) => one - other);
  return lowest === undefined ? null : { name: lowest[0], value: lowest[1], share: measured / lowest[1] };
}

export function printable(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}

/** One row a target; below each benchmark what else it found. */
export function table(results: readonly Result[]): string {
  const rows = results.flatMap(({ benchmark, targets }) =>
    targets.map((each) => [
      benchmark,
      each.figure,
      printable(each.measured),
      `${each.bound === 'at least' ? '≥' : '≤'} ${printable(each.value)}`,
      `${Math.round(each.share * 100)} %`,
      each.verdict,
      each.ceiling === null
        ? ''
        : `${Math.round(each.ceiling.share * 100)} % of ${each.ceiling.name} (${printable(each.ceiling.value)})`,
    ]),
  );
  return alignedColumns([['benchmark', 'figure', 'measured', 'target', 'reached', 'verdict', 'ceiling'], ...rows]);
}

export function detailLines({ figures, ceilings, details, yardstickMs }: Result): string[] {
  const all = { ...figures, ...ceilings?.values, ...details };
  return Object.entries({ ...all, 'yardstick before, ms': yardstickMs }).map(
    ([name, value]) => `  ${name}: ${printable(value)}`,
  );
}
