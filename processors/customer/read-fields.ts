import type { CustomerEvent } from '../../schemas/types.ts';
import type { Picked } from '../core/processor.ts';

/** Everything that the rules of this processor read of an event; of the other fields nothing is ever made. */
export const READ_FIELDS = {
  kind: true,
  interaction: {
    eventId: true,
    occurredAt: true,
    channel: true,
    type: true,
    pageViewId: true,
    campaignId: true,
    messageId: true,
    order: { orderId: true, amountMinor: true, currency: true, guest: true },
    score: true,
    engagedMs: true,
    machineGenerated: true,
    experiment: { experimentId: true, variant: true },
    attributes: true,
  },
} as const;

export type FoldedEvent = Picked<CustomerEvent, typeof READ_FIELDS>;
export type FoldedInteraction = NonNullable<FoldedEvent['interaction']>;
