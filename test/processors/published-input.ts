import { Random } from '../../processors/simulation/random.ts';
import type { Interaction, InteractionType } from '../../schemas/types.ts';
import type { LoggedInteraction } from '../harness/interactions.ts';
import { DAY, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { interaction } from './intake-fixture.ts';

const TYPES: readonly (readonly [InteractionType, number])[] = [
  ['PAGE_VIEW', 20],
  ['PRODUCT_VIEW', 14],
  ['SEARCH', 5],
  ['CART_ADD', 6],
  ['CHECKOUT_STARTED', 3],
  ['ORDER_PLACED', 8],
  ['ORDER_CANCELLED', 2],
  ['ORDER_REFUNDED', 2],
  ['MESSAGE_DELIVERED', 8],
  ['MESSAGE_OPENED', 6],
  ['MESSAGE_CLICKED', 4],
  ['PAGE_ENGAGEMENT', 3],
  ['SOCIAL_LIKE', 2],
  ['REVIEW_POSTED', 1],
  ['POINTS_EARNED', 2],
  ['POINTS_REDEEMED', 1],
  ['IDENTIFIED', 3],
  ['COMPLAINT', 1],
  ['UNKNOWN', 1],
];
const CUSTOMERS = 60;

/**
 * A year and more of a few customers, with everything that makes a fold branch: sessions and silences, late and too late
 * events, repeats, orders cancelled before they came, other currencies, bad records. The same for ever.
 */
export function* tangledInteractions(count: number): Generator<LoggedInteraction> {
  const random = new Random(42);
  let at = MIDNIGHT;
  for (let index = 0; index < count; index++) {
    at += Math.floor(
      random.weighted([
        [5_000, 80],
        [10 * MINUTE, 14],
        [5 * HOUR, 4],
        [8 * DAY, 1],
      ]) * random.next(),
    );
    const customer = random.below(CUSTOMERS);
    yield { key: `customer-${customer}`, timestamp: at, value: one(random, index, customer, at) };
  }
}

function one(random: Random, index: number, customer: number, at: number): Interaction {
  const type = random.weighted(TYPES);
  const late =
    random.weighted([
      [0, 80],
      [2 * HOUR, 14],
      [40 * DAY, 5],
      [500 * DAY, 1],
    ]) * random.next();
  return interaction({
    eventId: random.chance(0.1) ? `again-${random.below(2)}` : `event-${index}`,
    brandId: customer % 3 === 0 ? 'other' : 'acme',
    occurredAt: Math.floor(at - late + (random.chance(0.01) ? HOUR : 0)),
    userId: customer % 5 === 0 ? null : `customer-${customer}`,
    anonymousId: customer % 5 === 0 ? `device-${customer}-é` : null,
    channel: random.pick(['WEB', 'APP', 'EMAIL', 'STORE']),
    type,
    touchpoint: random.chance(0.5) ? `/page/${random.below(9)}` : null,
    sessionId: random.chance(0.5) ? `session-${customer}` : null,
    product: type === 'PRODUCT_VIEW' ? { productId: `p-${random.below(50)}`, category: null, priceMinor: 900 } : null,
    order: type.startsWith('ORDER_') && !random.chance(0.02) ? order(random, customer) : null,
    score: type === 'REVIEW_POSTED' ? { metric: 'RATING', value: random.below(7), surveyId: null } : null,
    text: random.chance(0.02) ? '長い文'.repeat(random.below(400)) : null,
    machineGenerated: random.chance(0.05),
    attributes: attributes(random, type),
  });
}

function order(random: Random, customer: number): Interaction['order'] {
  const items = random.chance(0.5) ? [{ productId: 'p-1', category: 'shoes', quantity: 2, priceMinor: 450 }] : [];
  const currency = random.weighted([
    ['JPY', 8],
    ['USD', 2],
    ['XXQ', 0.1],
  ] as const);
  const orderId = `order-${customer}-${random.below(12)}`;
  return { orderId, amountMinor: random.below(90_000), currency, guest: random.chance(0.2), items };
}

function attributes(random: Random, type: InteractionType): Record<string, string> {
  if (type === 'POINTS_EARNED' || type === 'POINTS_REDEEMED')
    return { points: random.chance(0.1) ? 'many' : String(random.below(900) - 50) };
  if (type === 'IDENTIFIED') return { plan: random.pick(['gold', 'silver', 'plain']), [`a${random.below(40)}`]: 'x' };
  return {};
}
