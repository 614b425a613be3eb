import { utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { judge, surveyOf } from '../core/surveys.ts';
import type { BrandRules } from './brand-rules.ts';
import { dormantDaysOf, type Journey } from './journey.ts';
import { addDays } from './lifecycle.ts';
import { isInteraction } from './measures.ts';
import type { FoldedInteraction } from './read-fields.ts';

/** Takes in an interaction that a person made; answers whether the journey may go on by it. */
export function foldJourney(journey: Journey, interaction: FoldedInteraction, at: Instant, rules: BrandRules): boolean {
  if (interaction.machineGenerated || !isInteraction(interaction.type)) return false;
  const day = utcDay(at);
  let isChanged = addDays(journey.stretches, { startDay: day, endDay: day }, dormantDaysOf(rules.journey));
  if (journey.firstDay < 0 || day < journey.firstDay) {
    journey.firstDay = day;
    isChanged = true;
  }
  if (day > journey.recommendedDay && isRecommendation(interaction, rules)) {
    journey.recommendedDay = day;
    isChanged = true;
  }
  return isChanged;
}

/** Whether the interaction may be a recommendation. */
export function canRecommend({ type, score }: FoldedInteraction): boolean {
  return score !== null || type === 'REFERRAL_SENT' || type === 'REFERRAL_CONVERTED';
}

/** A referral, a promoter's answer or a good rating (a good one of its survey, 9 and 10 of NPS, 4 and 5 stars otherwise). */
function isRecommendation({ type, score }: FoldedInteraction, rules: BrandRules): boolean {
  if (type === 'REFERRAL_SENT' || type === 'REFERRAL_CONVERTED') return true;
  if (score === null || (score.metric !== 'NPS' && score.metric !== 'RATING')) return false;
  const survey = surveyOf(rules, rules.brandId, score.metric, score.surveyId);
  return survey !== null && judge(survey, score.value).kind === 'satisfied';
}
