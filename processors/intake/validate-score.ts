import type { Interaction } from '../../schemas/types.ts';
import type { Definitions, SurveyDefinition } from '../core/definitions.ts';
import type { Rejected } from '../core/processor.ts';
import { isSurveyOf, STANDARD_SURVEYS } from '../core/surveys.ts';
import { refusal } from './refusal.ts';

interface Scale extends SurveyDefinition {
  readonly outside: Rejected;
  readonly otherMetric: Rejected;
}

function scaleOf(survey: SurveyDefinition, ofWhat: string): Scale {
  const { metric, min, max } = survey;
  return {
    ...survey,
    outside: refusal('invalid_score', `score.value: outside ${min} to ${max}, the scale of ${ofWhat}`),
    otherMetric: refusal('invalid_score', `score.metric: not ${metric}, the metric of ${ofWhat}`),
  };
}

const MISSING_SCORE = refusal('missing_score', 'score: needed by this type');

/**
 * Makes what speaks against a score: `missing_score` where the type needs one, `invalid_score`, whatever the type. A survey
 * with a definition for the brand has its scale, any other answer the usual one of its metric.
 */
export function scoreCheck({ surveys }: Pick<Definitions, 'surveys'>): (interaction: Interaction) => Rejected | null {
  const defined = new Map([...surveys].map(([id, survey]) => [id, scaleOf(survey, `the survey ${id}`)]));
  const { NPS, CSAT, CES, RATING } = STANDARD_SURVEYS;
  const usual = {
    // A metric that this version does not know has no scale to break.
    UNKNOWN: null,
    NPS: scaleOf(NPS, 'NPS'),
    CSAT: scaleOf(CSAT, 'CSAT'),
    CES: scaleOf(CES, 'CES'),
    RATING: scaleOf(RATING, 'RATING'),
  };
  return ({ brandId, score, type }) => {
    if (score === null) return type === 'SURVEY_ANSWERED' || type === 'REVIEW_POSTED' ? MISSING_SCORE : null;
    const { metric, value, surveyId } = score;
    const scale = usual[metric];
    if (scale === null) return null;
    const named = surveyId === null ? undefined : defined.get(surveyId);
    const held = named !== undefined && isSurveyOf(named, brandId) ? named : scale;
    if (held.metric !== metric) return held.otherMetric;
    return value >= held.min && value <= held.max ? null : held.outside;
  };
}
