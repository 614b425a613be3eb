import { placeOfSum, WHOLE } from '../core/brand-amounts.ts';
import { utcHour } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import { judge, METRICS, surveyOf } from '../core/surveys.ts';
import type { BrandChanges } from './brand-changes.ts';
import type { BrandRules } from './brand-rules.ts';
import { journeyOf } from './journey.ts';
import type { OpenState } from './open-state.ts';
import type { Postings } from './postings.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { STAGES, type Stage } from './stages.ts';

/**
 * What the brand knows of each stage of the journey: how many stays began, how many of these went on to a later stage or
 * ended, and what customers who were in it answered. Stays are counted under the day they began, so that those that went on
 * are some of those that began. Nothing of it moves with a customer from segment to segment.
 */
const ENTERED = placeOfSum('stageEntered');
const ADVANCED = placeOfSum('stageAdvanced');
const LEFT = placeOfSum('stageLeft');
const SECONDS = placeOfSum('stageSeconds');
const ANSWERS = placeOfSum('npsAnswers');
/** All of them stand together in BRAND_SUMS, beginning with this one; those of answers last, three of each metric. */
const FIRST = ENTERED;
const PER_STAGE = 16;

/** A customer came from one stage, where it was since then, into another. */
export function postMove(ofStages: Postings, from: Stage | null, since: Instant, to: Stage, now: Instant): void {
  if (from !== null) {
    post(ofStages, from, LEFT, since, 1);
    post(ofStages, from, SECONDS, since, Math.round((now - since) / 1000));
    if (STAGES.indexOf(to) > STAGES.indexOf(from)) post(ofStages, from, ADVANCED, since, 1);
  }
  post(ofStages, to, ENTERED, now, 1);
}

/** The stay was none: it goes on under another identifier, its customer is erased, or stages are followed no more. */
export function takeBackStay(ofStages: Postings, stage: Stage, since: Instant): void {
  post(ofStages, stage, ENTERED, since, -1);
}

/** An answer counts in the stage that the customer was in when it came; whoever is not known yet is at the beginning. */
export function postAnswer(open: OpenState, interaction: FoldedInteraction, at: Instant, rules: BrandRules): void {
  const { type, score, machineGenerated } = interaction;
  if (score === null || machineGenerated || (type !== 'SURVEY_ANSWERED' && type !== 'REVIEW_POSTED')) return;
  const survey = surveyOf(rules, rules.brandId, score.metric, score.surveyId);
  if (survey === null) return;
  const stage = journeyOf(open.parts)?.stage ?? 'awareness';
  const place = ANSWERS + 3 * METRICS.indexOf(survey.metric);
  const { kind } = judge(survey, score.value);
  post(open.ofStages, stage, place, at, 1);
  if (kind === 'satisfied') post(open.ofStages, stage, place + 1, at, 1);
  if (kind === 'dissatisfied') post(open.ofStages, stage, place + 2, at, 1);
}

/** Answers are the brand's as well. */
export function addOfStages(changes: BrandChanges, ofStages: Postings): void {
  for (let index = 0; index < ofStages.count; index++) {
    const code = ofStages.measure(index);
    const place = FIRST + (code % PER_STAGE);
    const [hour, by] = [utcHour(ofStages.at(index)), ofStages.amount(index)];
    changes.add('stage', STAGES[Math.floor(code / PER_STAGE)] ?? '', hour, place, by);
    if (place >= ANSWERS) changes.add('brand', WHOLE, hour, place, by);
  }
}

function post(ofStages: Postings, stage: Stage, place: number, at: Instant, by: number): void {
  ofStages.add(STAGES.indexOf(stage) * PER_STAGE + place - FIRST, at, by);
}
