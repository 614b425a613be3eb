import { Random } from '../../processors/simulation/random.ts';
import type { Interaction, InteractionType } from '../../schemas/types.ts';

export const BRAND = 'demo';
/** The mean time between two events of one session. */
const BETWEEN_MS = 40_000;

const MIX: readonly (readonly [InteractionType, number])[] = [
  ['PAGE_VIEW', 36],
  ['PRODUCT_VIEW', 24],
  ['MESSAGE_DELIVERED', 8],
  ['SEARCH', 6],
  ['CART_ADD', 6],
  ['PAGE_ENGAGEMENT', 5],
  ['MESSAGE_OPENED', 5],
  ['MESSAGE_CLICKED', 2],
  ['ORDER_PLACED', 2],
  ['CHECKOUT_STARTED', 2],
  ['SOCIAL_LIKE', 2],
  ['CART_REMOVE', 1],
  ['SUPPORT_CONTACTED', 0.5],
  ['COMPLAINT', 0.5],
];
const CATEGORIES = ['shoes', 'shirts', 'coats', 'bags', 'books', 'garden'];

export interface SessionEvents {
  readonly events: number;
  /** Customers that are active at the same time; each event is of any of them. */
  readonly sessions: number;
  /** When the first event happens, ms since the epoch. */
  readonly from: number;
  readonly seed?: number;
}

/** How much record time so many events of so many sessions fill, ms. */
export function spanMs({ events, sessions }: { readonly events: number; readonly sessions: number }): number {
  return Math.ceil((events / sessions) * BETWEEN_MS);
}

/**
 * Interleaved sessions: events in the order of their times, each of a customer drawn at random, so that a batch meets about
 * as many customers as events. Pages, products, messages and a few orders; ids as long as real ones. The same seed gives
 * the same events.
 */
export function* interleavedSessions(options: SessionEvents): Generator<Interaction> {
  const { events, sessions, from } = options;
  const random = new Random(options.seed ?? 1);
  const stepMs = BETWEEN_MS / sessions;
  for (let index = 0; index < events; index++) {
    yield interactionOf(random, random.below(sessions), Math.floor(from + index * stepMs));
  }
}

function interactionOf(random: Random, customer: number, occurredAt: number): Interaction {
  const type = random.weighted(MIX);
  const message = type.startsWith('MESSAGE_');
  const shown = type === 'PRODUCT_VIEW' || type === 'CART_ADD' || type === 'CART_REMOVE';
  const page = type === 'PAGE_VIEW' || type === 'PAGE_ENGAGEMENT';
  return {
    eventId: eventId(random, occurredAt),
    brandId: BRAND,
    occurredAt,
    userId: `customer-${customer}`,
    anonymousId: null,
    emailHash: null,
    channel: message ? 'EMAIL' : 'WEB',
    type,
    touchpoint: message ? 'newsletter' : `/category/${random.pick(CATEGORIES)}`,
    campaignId: message ? `campaign-${random.below(20)}` : null,
    messageId: message ? `message-${random.below(1e6)}` : null,
    sessionId: message ? null : `session-${customer}`,
    pageViewId: page ? `page-${random.below(1e9)}` : null,
    product: shown ? product(random) : null,
    order: type === 'ORDER_PLACED' ? order(random) : null,
    score: null,
    text: null,
    language: null,
    engagedMs: type === 'PAGE_ENGAGEMENT' ? 1000 + random.below(60_000) : null,
    machineGenerated: false,
    experiment: null,
    attributes: {},
  };
}

function product(random: Random): Interaction['product'] {
  return {
    productId: `product-${random.below(5_000)}`,
    category: random.pick(CATEGORIES),
    priceMinor: 500 + random.below(20_000),
  };
}

function order(random: Random): Interaction['order'] {
  const items = Array.from({ length: 1 + random.below(3) }, () => ({
    productId: `product-${random.below(5_000)}`,
    category: random.pick(CATEGORIES),
    quantity: 1,
    priceMinor: 500 + random.below(20_000),
  }));
  const amountMinor = items.reduce((sum, item) => sum + item.priceMinor, 0);
  return { orderId: `order-${random.below(2 ** 31)}`, amountMinor, currency: 'JPY', guest: false, items };
}

/** As long as a UUID, and as new. */
function eventId(random: Random, at: number): string {
  const hex = (digits: number): string =>
    random
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${hex(4)}-${hex(6)}${hex(6)}`;
}
