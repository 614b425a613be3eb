import type { Channel, Interaction, InteractionType } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { Customer } from './population.ts';

export const BRAND_ID = 'demo';

/** Something that happens to a customer at a planned time. */
export type Act = (stage: Stage, customer: Customer, at: Instant) => void;

/** What the acts of the customers may do. */
export interface Stage {
  /** The customer does something at `at`, not before the act's own time; it reaches the log when the network lets it. */
  tell(customer: Customer, at: Instant, channel: Channel, type: InteractionType, details?: Partial<Interaction>): void;
  /** Lets `act` happen at `at`; never when that is infinite. */
  plan(at: Instant, customer: Customer, act: Act): void;
}

/** The next event id of a customer: short, and unique for the whole shop. */
export function nextEventId(customer: Customer): string {
  return `${customer.index.toString(36)}-${(customer.events++).toString(36)}`;
}

/** An event as the shop's own systems would send it. */
export function createInteraction(
  customer: Customer,
  occurredAt: Instant,
  channel: Channel,
  type: InteractionType,
  details: Partial<Interaction> | undefined,
): Interaction {
  const onDevice = channel === 'WEB' || channel === 'APP';
  const { known, emailHash } = customer;
  const interaction: Interaction = {
    eventId: nextEventId(customer),
    brandId: BRAND_ID,
    occurredAt: Math.floor(occurredAt),
    userId: known ? customer.userId : null,
    anonymousId: onDevice || (!known && emailHash === null) ? customer.anonymousId : null,
    emailHash,
    channel,
    type,
    touchpoint: null,
    campaignId: null,
    messageId: null,
    sessionId: null,
    pageViewId: null,
    product: null,
    order: null,
    score: null,
    text: null,
    language: null,
    engagedMs: null,
    machineGenerated: false,
    experiment: null,
    attributes: {},
  };
  return details === undefined ? interaction : Object.assign(interaction, details);
}

/** The key of the input record: who it is about, as far as the source knows. */
export function recordKey(interaction: Interaction): string {
  return `${interaction.brandId}|${interaction.userId ?? interaction.emailHash ?? interaction.anonymousId ?? ''}`;
}
