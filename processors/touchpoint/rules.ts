import type { Definitions, TouchpointSettings } from '../core/definitions.ts';
import { judge, surveyOf, type Answer } from '../core/surveys.ts';
import type { TouchpointEvent } from '../../schemas/types.ts';

/** What the definitions say, as the rules of this processor ask for it. */
export interface Rules {
  readonly definitionsVersion: string;
  settingsOf(brandId: string): TouchpointSettings;
  /** Null for an answer on a metric that this version does not know. */
  judge(event: TouchpointEvent): Answer | null;
}

export function rulesOf(definitions: Definitions): Rules {
  const { hash, touchpoints, defaultTouchpoints } = definitions;
  return {
    definitionsVersion: hash,
    settingsOf: (brandId) => touchpoints.get(brandId) ?? defaultTouchpoints,
    judge: ({ metric, value, surveyId }) => {
      const survey = surveyOf(definitions, metric, surveyId);
      return survey === null ? null : judge(survey, value);
    },
  };
}
