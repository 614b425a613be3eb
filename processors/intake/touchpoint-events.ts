import type { Interaction, TouchpointEvent } from '../../schemas/types.ts';
import type { Instant, Output } from '../core/processor.ts';
import { touchpointKey, touchpointName } from '../core/touchpoint-key.ts';

export const TOUCHPOINT_EVENTS = 'touchpoint-events.v1';

const NO_DETAILS = {
  metric: 'UNKNOWN',
  value: 0,
  surveyId: null,
  caseId: null,
  issuedBy: null,
  reason: null,
} as const satisfies Partial<TouchpointEvent>;

/** What stands in for what a kind of event does not have. */
export function touchpointEvent(
  given: Omit<TouchpointEvent, keyof typeof NO_DETAILS> & Partial<TouchpointEvent>,
): TouchpointEvent {
  return { ...NO_DETAILS, ...given };
}

/**
 * What touchpoints learn of an interaction: an answer or a complaint, once for the touchpoint on its channel and once for the
 * customer's case there, which knows no channel. Text stays out: nothing here reads it.
 */
export function touchpointOutputs(interaction: Interaction, subject: string, now: Instant): Output[] {
  const { type, score, brandId, channel } = interaction;
  const isComplaint = type === 'COMPLAINT';
  const isAnswer = (type === 'SURVEY_ANSWERED' || type === 'REVIEW_POSTED') && score !== null;
  // An answer on a metric that this version does not know has no good end and no bad one.
  if (!isComplaint && (!isAnswer || score.metric === 'UNKNOWN')) return [];
  const touchpoint = touchpointName(interaction.touchpoint);
  const value = touchpointEvent({
    brandId,
    touchpoint,
    channel,
    subject,
    kind: isComplaint ? 'COMPLAINT' : 'SCORE',
    eventId: interaction.eventId,
    occurredAt: interaction.occurredAt,
    ...(!isComplaint && score !== null && { metric: score.metric, value: score.value, surveyId: score.surveyId }),
  });
  return [channel, subject].map((last) => {
    return { topic: TOUCHPOINT_EVENTS, key: touchpointKey(brandId, touchpoint, last), value, timestamp: now };
  });
}
