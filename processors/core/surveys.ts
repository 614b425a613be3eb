import type { ScoreMetric } from '../../schemas/types.ts';
import type { Definitions, SurveyDefinition } from './definitions.ts';

/** The metrics that are scored, in the order in which states are packed: only ever added to. */
export const METRICS = ['NPS', 'CSAT', 'CES', 'RATING'] as const satisfies readonly ScoreMetric[];
export type Metric = (typeof METRICS)[number];

/**
 * A position on a scale counts from 0, the worst, to so many units, the best: a multiple of 1 to 10, 20, 25, 50 and 100, so that
 * whole answers on every usual scale are whole units and their sums are exact.
 */
export const BEST_UNITS = 12_600;

/** One answer, judged by its survey. */
export interface Answer {
  readonly units: number;
  readonly kind: 'satisfied' | 'neutral' | 'dissatisfied';
}

const standard = (
  metric: Metric,
  scale: Omit<SurveyDefinition, 'id' | 'brands' | 'metric' | 'file'>,
): SurveyDefinition => {
  return { id: metric.toLowerCase(), brands: ['*'], metric, ...scale, file: '' };
};

/**
 * The scale of an answer that names no survey, or one without a definition. Satisfied are the best two of five, or the same
 * share of a longer scale, and the promoters; dissatisfied the worst two of five, and the detractors (Reichheld 2003).
 */
export const STANDARD_SURVEYS: Readonly<Record<Metric, SurveyDefinition>> = {
  NPS: standard('NPS', { min: 0, max: 10, good: 'high', satisfiedFrom: 9, dissatisfiedFrom: 6 }),
  CSAT: standard('CSAT', { min: 1, max: 10, good: 'high', satisfiedFrom: 7, dissatisfiedFrom: 4 }),
  CES: standard('CES', { min: 1, max: 5, good: 'low', satisfiedFrom: 2, dissatisfiedFrom: 4 }),
  RATING: standard('RATING', { min: 1, max: 5, good: 'high', satisfiedFrom: 4, dissatisfiedFrom: 2 }),
};

/** A survey of another brand means nothing here: an answer that names it has the usual scale. */
export function isSurveyOf({ brands }: SurveyDefinition, brandId: string): boolean {
  return brands.includes('*') || brands.includes(brandId);
}

/** What an answer is judged by; null for a metric that this version does not know. */
export function surveyOf(
  { surveys }: Pick<Definitions, 'surveys'>,
  brandId: string,
  metric: ScoreMetric,
  surveyId: string | null,
): SurveyDefinition | null {
  if (metric === 'UNKNOWN') return null;
  const defined = surveyId === null ? undefined : surveys.get(surveyId);
  return defined?.metric === metric && isSurveyOf(defined, brandId) ? defined : STANDARD_SURVEYS[metric];
}

export function judge(survey: SurveyDefinition, value: number): Answer {
  const { min, max, good, satisfiedFrom, dissatisfiedFrom } = survey;
  const height = good === 'high' ? value - min : max - value;
  const units = Math.round((Math.max(0, Math.min(max - min, height)) / (max - min)) * BEST_UNITS);
  const isAtLeast = (limit: number): boolean => (good === 'high' ? value >= limit : value <= limit);
  const isAtMost = (limit: number): boolean => (good === 'high' ? value <= limit : value >= limit);
  return {
    units,
    kind: isAtLeast(satisfiedFrom) ? 'satisfied' : isAtMost(dissatisfiedFrom) ? 'dissatisfied' : 'neutral',
  };
}
