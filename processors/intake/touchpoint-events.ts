import type { Interaction, TouchpointEvent } from '../../schemas/types.ts';
import type { Instant, Output } from '../core/processor.ts';
import { touchpointKey, touchpointName } from '../core/touchpoint-key.ts';
import { writtenText, type SentimentReader } from '../sentiment/sentiment.ts';

export const TOUCHPOINT_EVENTS = 'touchpoint-events.v1';

const NO_DETAILS = {
  metric: 'UNKNOWN',
  value: 0,
  surveyId: null,
  caseId: null,
  issuedBy: null,
  reason: null,
  sentiment: null,
} as const satisfies Partial<TouchpointEvent>;

/** What stands in for what a kind of event does not have. */
export function touchpointEvent(
  given: Omit<TouchpointEvent, keyof typeof NO_DETAILS> & Partial<TouchpointEvent>,
): TouchpointEvent {
  return { ...NO_DETAILS, ...given };
}

/**
 * What touchpoints learn of an interaction. An answer or a complaint goes to the touchpoint on its channel and to the customer's
 * case there, which knows no channel; a text alone only to the touchpoint. Of a text nothing but the feeling goes on.
 */
export function touchpointOutputs(
  interaction: Interaction,
  subject: string,
  now: Instant,
  readSentiment: SentimentReader,
): Output[] {
  const { type, score, brandId, channel } = interaction;
  const isComplaint = type === 'COMPLAINT';
  // An answer on a metric that this version does not know has no good end and no bad one.
  const answer = (type === 'SURVEY_ANSWERED' || type === 'REVIEW_POSTED') && score?.metric !== 'UNKNOWN' ? score : null;
  const text = writtenText(interaction);
  if (!isComplaint && answer === null && text === null) return [];
  const touchpoint = touchpointName(interaction.touchpoint);
  const kind = isComplaint ? 'COMPLAINT' : answer !== null ? 'SCORE' : 'REMARK';
  const value = touchpointEvent({
    brandId,
    touchpoint,
    channel,
    subject,
    kind,
    eventId: interaction.eventId,
    occurredAt: interaction.occurredAt,
    ...(answer !== null && { metric: answer.metric, value: answer.value, surveyId: answer.surveyId }),
    sentiment: text === null ? null : readSentiment(text, interaction.language),
  });
  return (kind === 'REMARK' ? [channel] : [channel, subject]).map((last) => {
    return { topic: TOUCHPOINT_EVENTS, key: touchpointKey(brandId, touchpoint, last), value, timestamp: now };
  });
}
