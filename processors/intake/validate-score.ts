import type { Interaction, ScoreMetric } from '../../schemas/types.ts';
import type { Rejected } from '../core/processor.ts';
import { refusal } from './refusal.ts';

interface Scale {
  readonly lowest: number;
  readonly highest: number;
  readonly outside: Rejected;
}

const scale = (metric: ScoreMetric, lowest: number, highest: number): Scale => ({
  lowest,
  highest,
  outside: refusal('invalid_score', `score.value: outside ${lowest} to ${highest}, the scale of ${metric}`),
});

/** A metric that this version does not know has no scale to break. */
const SCALES: Readonly<Record<ScoreMetric, Scale | null>> = {
  UNKNOWN: null,
  NPS: scale('NPS', 0, 10),
  CSAT: scale('CSAT', 1, 10),
  CES: scale('CES', 1, 5),
  RATING: scale('RATING', 1, 5),
};

const MISSING_SCORE = refusal('missing_score', 'score: needed by this type');

/** What speaks against the score: `missing_score` where the type needs one, `invalid_score`, whatever the type. */
export function refuseScore(interaction: Interaction): Rejected | null {
  const { score, type } = interaction;
  if (score === null) return type === 'SURVEY_ANSWERED' || type === 'REVIEW_POSTED' ? MISSING_SCORE : null;
  const held = SCALES[score.metric];
  if (held === null) return null;
  return score.value >= held.lowest && score.value <= held.highest ? null : held.outside;
}
