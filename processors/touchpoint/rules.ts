import type { Definitions, TouchpointSettings } from '../core/definitions.ts';
import { judge, surveyOf, type Answer } from '../core/surveys.ts';
import type { ShownOf } from './shown-touchpoints.ts';
import type { TouchpointEvent } from '../../schemas/types.ts';

/** What the definitions say, as the rules of this processor ask for it. */
export interface Rules {
  readonly definitionsVersion: string;
  settingsOf(brandId: string): TouchpointSettings;
  readonly shownOf: ShownOf;
  /** Null for an answer on a metric that this version does not know. */
  judge(event: TouchpointEvent): Answer | null;
}

const NONE: ReadonlySet<string> = new Set();

export function rulesOf(definitions: Definitions): Rules {
  const { hash, touchpoints, defaultTouchpoints } = definitions;
  const settingsOf = (brandId: string): TouchpointSettings => touchpoints.get(brandId) ?? defaultTouchpoints;
  const shown = new Map([...touchpoints.values(), defaultTouchpoints].map((each) => [each, new Set(each.shown)]));
  return {
    definitionsVersion: hash,
    settingsOf,
    shownOf: (brandId) => shown.get(settingsOf(brandId)) ?? NONE,
    judge: ({ brandId, metric, value, surveyId }) => {
      const survey = surveyOf(definitions, brandId, metric, surveyId);
      return survey === null ? null : judge(survey, value);
    },
  };
}
