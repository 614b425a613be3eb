import { DAY_MS, utcDay } from '../core/event-time.ts';
import type { JourneySettings } from '../core/definitions.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { judge, surveyOf } from '../core/surveys.ts';
import type { BrandRules } from './brand-rules.ts';
import { addDays, LIFECYCLES, type Lifecycle, type Stretch } from './lifecycle.ts';
import { isInteraction } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { MergeablePart } from './parts.ts';
import type { FoldedInteraction } from './read-fields.ts';
import { STAGES, type Stage } from './stages.ts';

/** What is kept of a customer's journey: what stages.ts and lifecycle.ts decide by, and what they decided last. */
export interface Journey {
  /** UTC days, counted from 1970: of the first interaction, and of the last recommendation; −1: none. */
  firstDay: number;
  recommendedDay: number;
  /** Oldest first. */
  stretches: Stretch[];
  /** As last published; null: never. */
  stage: Stage | null;
  stageSince: Instant;
  lifecycle: Lifecycle | null;
  lifecycleSince: Instant;
  /** When silence alone changes one of them; set by whoever puts the part. */
  due: Instant;
}

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

/** A referral, a promoter's answer or a good rating (a good one of its survey, 9 and 10 of NPS, 4 and 5 stars otherwise). */
function isRecommendation({ type, score }: FoldedInteraction, rules: BrandRules): boolean {
  if (type === 'REFERRAL_SENT' || type === 'REFERRAL_CONVERTED') return true;
  if (score === null || (score.metric !== 'NPS' && score.metric !== 'RATING')) return false;
  const survey = surveyOf(rules, rules.brandId, score.metric, score.surveyId);
  return survey !== null && judge(survey, score.value).kind === 'satisfied';
}

/** Without a lifecycle, one stretch is all that is kept. */
export function dormantDaysOf({ lifecycle }: JourneySettings): number {
  return lifecycle?.dormantDays ?? Infinity;
}

/** The journey as it stands, for the view; null where nothing is followed. */
export function journeyOf({ parts }: Pick<OpenState, 'parts'>): Journey | null {
  return parts.has(JOURNEY) ? parts.get(JOURNEY) : null;
}

// The stage and the lifecycle as numbers, 0 for null, in one byte.
const LIFECYCLE_SHIFT = 3;
const HAS_RECOMMENDED = 64;
const HAS_EARLIER = 128;

export const JOURNEY: MergeablePart<Journey> = {
  id: 2,

  initial: () => ({
    firstDay: -1,
    recommendedDay: -1,
    stretches: [],
    stage: null,
    stageSince: 0,
    lifecycle: null,
    lifecycleSince: 0,
    due: NEVER,
  }),

  nextDue: ({ due }) => due,

  /** Times are packed as what they are after the first day. */
  write(journey, writer) {
    const { firstDay, recommendedDay, stretches, stage, lifecycle } = journey;
    const newest = stretches.at(-1);
    if (newest === undefined && stage === null && lifecycle === null) return;
    const many = stretches.length > 1 || (newest !== undefined && newest.startDay !== firstDay);
    writer.byte(
      (stage === null ? 0 : STAGES.indexOf(stage) + 1) |
        ((lifecycle === null ? 0 : LIFECYCLES.indexOf(lifecycle) + 1) << LIFECYCLE_SHIFT) |
        (recommendedDay < 0 ? 0 : HAS_RECOMMENDED) |
        (many ? HAS_EARLIER : 0),
    );
    writer.uint(firstDay + 1);
    if (stage !== null) writer.int(journey.stageSince - Math.max(0, firstDay) * DAY_MS);
    if (lifecycle !== null) writer.int(journey.lifecycleSince - journey.stageSince);
    if (recommendedDay >= 0) writer.int(recommendedDay - firstDay);
    if (many) writer.uint(stretches.length);
    let before = firstDay;
    for (const { startDay, endDay } of stretches) {
      if (many) writer.uint(startDay - before);
      writer.uint(endDay - startDay);
      before = endDay;
    }
  },

  read(reader, due) {
    const journey = JOURNEY.initial();
    journey.due = due;
    const flags = reader.byte();
    journey.firstDay = reader.uint() - 1;
    journey.stage = STAGES[(flags & 7) - 1] ?? null;
    journey.lifecycle = LIFECYCLES[((flags >> LIFECYCLE_SHIFT) & 7) - 1] ?? null;
    if (journey.stage !== null) journey.stageSince = Math.max(0, journey.firstDay) * DAY_MS + reader.int();
    if (journey.lifecycle !== null) journey.lifecycleSince = journey.stageSince + reader.int();
    if ((flags & HAS_RECOMMENDED) !== 0) journey.recommendedDay = journey.firstDay + reader.int();
    const many = (flags & HAS_EARLIER) !== 0;
    let before = journey.firstDay;
    for (let left = many ? reader.uint() : reader.done ? 0 : 1; left > 0; left--) {
      const startDay = before + (many ? reader.uint() : 0);
      before = startDay + reader.uint();
      journey.stretches.push({ startDay, endDay: before });
    }
    return journey;
  },

  /** What was published of the customer that stays stands until it is evaluated anew, as it must be after a merge. */
  merge(into, from) {
    into.recommendedDay = Math.max(into.recommendedDay, from.recommendedDay);
    if (from.firstDay >= 0) into.firstDay = into.firstDay < 0 ? from.firstDay : Math.min(into.firstDay, from.firstDay);
    for (const stretch of from.stretches) addDays(into.stretches, stretch, 1);
  },
};
