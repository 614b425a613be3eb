import type { Interaction, Order } from '../../schemas/types.ts';

export const NOW = Date.UTC(2026, 4, 1, 12);

export const ORDER: Order = { orderId: 'o-1', amountMinor: 4200, currency: 'JPY', guest: false, items: [] };

/** A valid page view of user 123, with `changes`. */
export function interaction(changes: Partial<Interaction> = {}): Interaction {
  return {
    eventId: 'event-1',
    brandId: 'demo',
    occurredAt: NOW - 1000,
    userId: '123',
    anonymousId: null,
    emailHash: null,
    channel: 'WEB',
    type: 'PAGE_VIEW',
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
    ...changes,
  };
}
