import type { ExperimentDefinition, ExperimentMetric, ExperimentVariant } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';

/** Shares are written with so few digits that thirds do not quite make 1. */
const SHARES_TOLERANCE = 1e-6;

/** What cannot be told field by field. */
export function experimentFaults({ file, variants, metrics }: ExperimentDefinition): Fault[] {
  const faults = [...variantFaults(variants), ...metrics.flatMap(metricFaults), ...repeats('metrics', metrics)];
  if (metrics.every(({ guardrail }) => guardrail))
    faults.push(['metrics', 'must have a goal: one that is no guardrail']);
  return faults.map(([path, message]) => ({ where: `${file}: ${path}`, message }));
}

/** Holdouts that are not there, or that do not hold for every brand of the experiment. */
export function holdoutFaults(experiments: readonly ExperimentDefinition[]): Fault[] {
  const byId = new Map(experiments.map((experiment) => [experiment.id, experiment]));
  return experiments.flatMap((experiment): Fault[] => {
    const { id, holdout, brands, file } = experiment;
    if (holdout === null) return [];
    const named = byId.get(holdout);
    const fault = (message: string): Fault[] => [{ where: `${file}: holdout`, message }];
    if (holdout === id) return fault('must be another experiment');
    if (named === undefined) return fault(`there is no experiment "${holdout}"${suggestion(holdout, byId.keys())}`);
    if (named.holdout !== null) return fault(`"${holdout}" has a holdout itself`);
    const missing = brands.filter((brand) => !named.brands.includes('*') && !named.brands.includes(brand));
    return missing.length === 0
      ? []
      : fault(`"${holdout}" is not for ${missing.map((each) => `"${each}"`).join(', ')}`);
  });
}

type PlacedFault = readonly [path: string, message: string];

function variantFaults(variants: readonly ExperimentVariant[]): PlacedFault[] {
  const faults = repeats('variants', variants);
  const controls = variants.filter(({ control }) => control).length;
  if (controls !== 1) faults.push(['variants', `exactly one must be the control, not ${controls}`]);
  const shares = variants.reduce((sum, { share }) => sum + share, 0);
  if (Math.abs(shares - 1) > SHARES_TOLERANCE) {
    faults.push(['variants', `the shares must be 1 together, not ${Number(shares.toFixed(6))}`]);
  }
  return faults;
}

function metricFaults({ kind, types, where, guardrail, margin }: ExperimentMetric, place: number): PlacedFault[] {
  const faults: PlacedFault[] = [];
  const at = (field: string): string => `metrics.${place}.${field}`;
  if (kind === 'revenue' && types.length > 0) faults.push([at('types'), 'must be absent: orders make revenue']);
  if (kind === 'revenue' && where !== null) faults.push([at('where'), 'must be absent: orders make revenue']);
  if (kind !== 'revenue' && types.length === 0 && where === null)
    faults.push([at('types'), `must name what is counted for a ${kind}, or where must`]);
  if (types.length > 0 && where !== null) faults.push([at('types'), 'must be absent: where says what is counted']);
  if (!guardrail && margin > 0) faults.push([at('margin'), 'must be absent: only a guardrail has one']);
  return faults;
}

function repeats(list: string, named: readonly { readonly id: string }[]): PlacedFault[] {
  return named.flatMap(({ id }, place): PlacedFault[] =>
    named.findIndex((other) => other.id === id) < place ? [[`${list}.${place}.id`, `"${id}" is there twice`]] : [],
  );
}
