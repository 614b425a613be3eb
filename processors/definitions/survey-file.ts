import type { z } from 'zod';
import type { SurveyDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { STANDARD_SURVEYS } from '../core/surveys.ts';
import type { SurveyFile } from './shapes.ts';

/** A survey with everything filled in, or nothing and every fault: what a scale must be cannot be told field by field. */
export function completeSurvey(
  { id, brands, metric, ...given }: z.output<typeof SurveyFile>,
  file: string,
  faults: Fault[],
): SurveyDefinition[] {
  const usual = STANDARD_SURVEYS[metric];
  const survey: SurveyDefinition = {
    id,
    brands,
    metric,
    min: given.min ?? usual.min,
    max: given.max ?? usual.max,
    good: given.good ?? usual.good,
    satisfiedFrom: given.satisfiedFrom ?? usual.satisfiedFrom,
    dissatisfiedFrom: given.dissatisfiedFrom ?? usual.dissatisfiedFrom,
    file,
  };
  const found = scaleFaults(survey);
  faults.push(...found.map(([field, message]) => ({ where: `${file}: ${field}`, message })));
  return found.length === 0 ? [survey] : [];
}

type ScaleFault = readonly [field: keyof SurveyDefinition, message: string];

function scaleFaults(survey: SurveyDefinition): ScaleFault[] {
  const { metric, min, max, good, satisfiedFrom, dissatisfiedFrom } = survey;
  if (min >= max) return [['max', `must be above min, ${min}`]];
  const faults: ScaleFault[] = [];
  for (const field of ['satisfiedFrom', 'dissatisfiedFrom'] as const) {
    if (survey[field] < min || survey[field] > max) faults.push([field, `must be on the scale, ${min} to ${max}`]);
  }
  if (good === 'high' ? satisfiedFrom <= dissatisfiedFrom : satisfiedFrom >= dissatisfiedFrom) {
    const message = `must be nearer to the good end, ${good}, than dissatisfiedFrom, ${dissatisfiedFrom}`;
    faults.push(['satisfiedFrom', message]);
  }
  if (metric !== 'NPS') return faults;
  for (const field of ['min', 'max', 'good', 'satisfiedFrom', 'dissatisfiedFrom'] as const) {
    const fixed = STANDARD_SURVEYS.NPS[field];
    if (survey[field] !== fixed) faults.push([field, `must be ${fixed}, or it is no NPS`]);
  }
  return faults;
}
