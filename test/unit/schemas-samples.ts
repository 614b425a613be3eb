import type { Interaction } from '../../schemas/types.ts';

/** A complete interaction with `changes` on top. */
export function interaction(changes: Partial<Interaction> = {}): Interaction {
  return {
    eventId: 'e1',
    brandId: 'demo',
    occurredAt: 1_700_000_000_000,
    userId: 'u1',
    anonymousId: null,
    emailHash: null,
    channel: 'WEB',
    type: 'PRODUCT_VIEW',
    touchpoint: null,
    campaignId: null,
    messageId: null,
    sessionId: 's1',
    pageViewId: null,
    product: { productId: 'p1', category: 'shoes', priceMinor: 12_900 },
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

/** With every part filled, so that a test over its bytes meets every kind of field. */
export function fullInteraction(): Interaction {
  return interaction({
    anonymousId: 'a1',
    emailHash: 'ff'.repeat(32),
    type: 'ORDER_PLACED',
    touchpoint: 'checkout',
    order: {
      orderId: 'o1',
      amountMinor: 2 ** 40,
      currency: 'EUR',
      guest: true,
      items: [
        { productId: 'p1', category: null, quantity: 2, priceMinor: 5 },
        { productId: 'p2', category: 'hüte', quantity: -1, priceMinor: 2 ** 52 - 1 },
      ],
    },
    score: { metric: 'NPS', value: 9, surveyId: 'q1' },
    text: 'schön 👍',
    language: 'de',
    engagedMs: 1_500,
    machineGenerated: true,
    experiment: { experimentId: 'x1', variant: 'b' },
    attributes: { plan: 'gold', points: '12' },
  });
}
