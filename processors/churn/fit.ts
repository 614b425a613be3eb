import type { ChurnModelName } from '../core/definitions.ts';
import { logLikelihood, type ChurnParameters } from './likelihood.ts';
import { minimize } from './nelder-mead.ts';
import type { CountedStatistic } from './order-history.ts';
import { standardErrors } from './standard-errors.ts';

/** Parameters of greatest likelihood. */
export interface ChurnFit {
  readonly model: ChurnModelName;
  readonly parameters: ChurnParameters;
  readonly logLikelihood: number;
  /** Of each parameter; null where the likelihood is too flat to tell. */
  readonly standardErrors: ChurnParameters | null;
  readonly evaluations: number;
}

/** Why there are no parameters of greatest likelihood. */
export interface FitFailure {
  readonly failure: string;
}

export interface FitOptions {
  /** Called after each round with the likelihoods computed so far and the best one. */
  readonly progress?: (evaluations: number, logLikelihood: number) => void;
  readonly evaluationsMax?: number;
}

/** The start of the R package BTYD. */
const START: ChurnParameters = { r: 1, alpha: 3, a: 1, b: 3 };
const EVALUATIONS_MAX = 5_000;
/** Ages are scaled to this many units at most, as the Python package lifetimes does: else α runs along a flat ridge. */
const LONGEST_AGE = 10;
/** Of the log-likelihood, and of the logarithm of each parameter. */
const VALUE_TOLERANCE = 1e-8;
const POINT_TOLERANCE = 1e-6;
const STEP = 0.5;
/** A parameter beyond e^±9 of its unit has run away: the likelihood still rises, ever more slowly, towards 0 or ∞. */
const LOG_LIMIT = 9;

/** Fits a model by maximum likelihood, over the logarithms of its parameters. */
export function fitChurnModel(
  model: ChurnModelName,
  statistics: readonly CountedStatistic[],
  { progress, evaluationsMax = EVALUATIONS_MAX }: FitOptions = {},
): ChurnFit | FitFailure {
  const longest = statistics.reduce((max, { T }) => Math.max(max, T), 0);
  if (longest === 0) return { failure: 'every customer ordered for the first time just now' };
  const scale = LONGEST_AGE / longest;
  const scaled = statistics.map(({ x, tx, T, customers }) => ({ x, tx: tx * scale, T: T * scale, customers }));
  // A density of x times becomes smaller by the scale's x-th power when its unit grows.
  const orders = statistics.reduce((sum, { x, customers }) => sum + x * customers, 0);
  const unscaled = orders * Math.log(scale);

  const found = minimize((logs) => -logLikelihood(model, parametersOf(logs), scaled), logsOf(START), {
    ...{ step: STEP, valueTolerance: VALUE_TOLERANCE, pointTolerance: POINT_TOLERANCE, evaluationsMax },
    ...(progress && { progress: (evaluations, value) => void progress(evaluations, unscaled - value) }),
  });
  const { r, alpha, a, b } = parametersOf(found.point);
  const parameters = { r, alpha: alpha / scale, a, b };
  if (!Number.isFinite(found.value)) return { failure: 'the likelihood is no number anywhere near the start' };
  const runaway = nameOfRunaway(found.point);
  if (runaway !== null) {
    const size = parameters[runaway].toPrecision(2);
    return {
      failure: `${runaway} runs away (${size} after ${found.evaluations} steps): these orders do not determine it`,
    };
  }
  if (!found.converged) return { failure: `no maximum was found in ${found.evaluations} steps` };
  return {
    model,
    parameters,
    logLikelihood: logLikelihood(model, parameters, statistics),
    standardErrors: standardErrors(model, parameters, statistics),
    evaluations: found.evaluations,
  };
}

const NAMES = ['r', 'alpha', 'a', 'b'] as const;

function nameOfRunaway(logs: readonly number[]): (typeof NAMES)[number] | null {
  const place = logs.findIndex((each) => Math.abs(each) > LOG_LIMIT);
  return NAMES[place] ?? null;
}

function logsOf({ r, alpha, a, b }: ChurnParameters): number[] {
  return [r, alpha, a, b].map(Math.log);
}

function parametersOf(logs: readonly number[]): ChurnParameters {
  const [r = NaN, alpha = NaN, a = NaN, b = NaN] = logs.map(Math.exp);
  return { r, alpha, a, b };
}
