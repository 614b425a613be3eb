import type { ExperimentComparison, ExperimentResults, ExperimentVariantResult } from '../../schemas/types.ts';
import { printable } from './display-width.ts';

const LINES_MAX = 6;

/** `free-delivery-banner revenue: banner +9.1 % (-6.0 to +24.3), p 0.41, undecided, 871 units`, a line for each comparison. */
export function experimentLines(experiments: readonly ExperimentResults[]): string[] {
  return experiments
    .toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
    .flatMap((results) => results.variants.flatMap((variant) => lineOf(results, variant)))
    .slice(0, LINES_MAX);
}

function lineOf(results: ExperimentResults, { variant, units, comparison }: ExperimentVariantResult): string[] {
  if (comparison === null) return [];
  const doubt = results.sampleRatio.verdict === 'FAILED' ? ', but the sample ratio is wrong' : '';
  const verdict = comparison.verdict.toLowerCase().replace('_', ' ');
  const told = `${liftOf(comparison)}, p ${comparison.p.toPrecision(2)}, ${verdict}${doubt}`;
  return [printable(`  ${nameOf(results)}: ${variant} ${told}, ${units.toLocaleString('en-US')} units`)];
}

function nameOf({ experimentId, metricId }: ExperimentResults): string {
  return `${experimentId} ${metricId}`;
}

function liftOf({ lift, liftLow, liftHigh }: ExperimentComparison): string {
  if (lift === null) return 'no lift yet';
  const interval = liftLow === null || liftHigh === null ? '' : ` (${percent(liftLow)} to ${percent(liftHigh)})`;
  return `${percent(lift)} %${interval}`;
}

function percent(share: number): string {
  return `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`;
}
