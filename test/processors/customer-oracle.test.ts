import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CustomerProcessor } from '../../processors/customer/processor.ts';
import type { Interaction } from '../../schemas/types.ts';
import { measureOf, ratioOf } from '../harness/definition-sets.ts';
import { CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { runOracle, type Happening, type OwnDefinitions } from './customer-oracle.ts';
import { interaction } from './intake-fixture.ts';

// In an order in which a segment comes after those it names.
const SEGMENTS = {
  browsing: { 'traits.page_views.1h': { $gte: 2 } },
  buyer: { 'traits.orders.30d': { $gte: 1 } },
  clicker: { 'ratios.ctr.7d': { $gt: 0.4 } },
  clicked: { 'ratios.ctr.lifetime': { $gte: 0.5 } },
  gold: { 'attributes.plan': 'gold' },
  lapsing: { 'ages.orders': { $gte: 20, $lt: 45 } },
  left: { 'ages.revenue': { $gte: 3 } },
  met: { 'traits.sessions.24h': { $gte: 2 }, 'ages.sessions': { $lt: 3 } },
  net: { $or: [{ 'traits.revenue.90d': { $gte: 1000 } }, { 'traits.revenue.24h': { $lt: 0 } }] },
  owing: { 'traits.revenue.365d': { $lt: 0 } },
  regular: { 'traits.interactions.365d': { $gte: 5 }, 'traits.page_views.lifetime': { $gt: 3 } },
  silent: { 'ages.interactions': { $gte: 2 } },
  three: { 'traits.page_views.24h': 3 },
  unsent: { 'ratios.open_rate.30d': { $exists: false } },
  waiting: { 'traits.cart_adds.24h': { $gte: 1 }, 'traits.orders.24h': 0 },
  also: { segments: 'waiting', 'traits.searches.1h': { $lt: 1 } },
  both: { segments: { $size: 2 } },
  other: { segments: { $elemMatch: { $gt: 'b', $nin: ['buyer', 'silent'] } } },
  none: { $nor: [{ segments: { $in: ['buyer', 'browsing'] } }, { 'traits.interactions.7d': { $gte: 1 } }] },
};

const OWN = [
  measureOf('big', 'count', { type: 'ORDER_PLACED', 'order.amountMinor': { $gte: 300 } }),
  measureOf('spent', 'sum', { type: { $in: ['ORDER_PLACED', 'ORDER_REFUNDED'] } }, 'order.amountMinor'),
  measureOf('dearest', 'max', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
  measureOf('cheapest', 'min', { 'order.amountMinor': { $gt: 0 } }, 'order.amountMinor'),
  measureOf('kinds', 'distinct', { type: { $ne: 'IDENTIFIED' } }, 'type'),
  measureOf('plan', 'last', { type: 'IDENTIFIED' }, 'attributes.plan'),
  measureOf('on-web', 'count', { channel: 'WEB', touchpoint: null }),
];

const OWN_SEGMENTS = {
  bigs: { 'traits.big.30d': { $gte: 2 } },
  bigger: { 'traits.spent.7d': { $gte: 900 }, 'traits.big.lifetime': { $gt: 0 } },
  dear: { 'traits.dearest.90d': { $gte: 400, $lt: 800 } },
  cheap: { 'traits.cheapest.24h': { $lte: 200 } },
  curious: { 'traits.kinds.1h': { $gte: 2 } },
  broad: { 'traits.kinds.365d': { $gte: 4 }, 'ages.dearest': { $lt: 40 } },
  planned: { 'traits.plan.30d': 'gold' },
  planless: { 'traits.plan.30d': { $exists: false }, 'traits.on-web.7d': { $gte: 1 } },
  late: { 'ages.big': { $gte: 2, $lt: 9 }, segments: { $ne: 'bigs' } },
};

const TYPES = [
  'PAGE_VIEW',
  'PAGE_VIEW',
  'PAGE_VIEW',
  'CART_ADD',
  'ORDER_PLACED',
  'ORDER_PLACED',
  'ORDER_CANCELLED',
  'ORDER_REFUNDED',
  'MESSAGE_DELIVERED',
  'MESSAGE_DELIVERED',
  'MESSAGE_CLICKED',
  'IDENTIFIED',
] as const;

// Gaps and delays of every scale, so that streams meet each ring's edges.
const span = fc.oneof(
  fc.integer({ min: 0, max: 3 * MINUTE }),
  fc.integer({ min: 0, max: 2 * HOUR }),
  fc.integer({ min: 0, max: 10 }).map((hours) => hours * HOUR),
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: 0, max: 100 }).map((days) => days * DAY),
);
const lateness = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: span },
  { weight: 1, arbitrary: fc.integer({ min: -5 * MINUTE, max: 0 }) },
  { weight: 1, arbitrary: fc.integer({ min: 360 * DAY, max: 372 * DAY }) },
);

const step = fc.record({
  gap: span,
  backwards: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: span }),
  lateness,
  type: fc.constantFrom(...TYPES),
  id: fc.integer({ min: 0, max: 40 }),
  order: fc.integer({ min: 0, max: 4 }),
  amountMinor: fc.integer({ min: 0, max: 900 }),
  plan: fc.constantFrom('gold', 'basic'),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function happeningsOf(steps: readonly Step[]): Happening[] {
  let at = MIDNIGHT;
  const happenings: Happening[] = [];
  for (const { gap, backwards, lateness: late, type, id, order, amountMinor, plan } of steps) {
    at += gap;
    const recordAt = at - backwards;
    const changes: Partial<Interaction> = { eventId: `e${id}`, brandId: 'acme', type, occurredAt: recordAt - late };
    if (type.startsWith('ORDER')) {
      changes.order = { orderId: `o${order}`, amountMinor, currency: 'JPY', guest: false, items: [] };
    }
    if (type === 'IDENTIFIED') changes.attributes = { plan };
    happenings.push({ at: recordAt, interaction: interaction(changes) });
  }
  return happenings;
}

test('memberships and sums at every instant are those of adding everything up again', () => {
  const processor = new CustomerDriver(definitions(SEGMENTS)).processor;
  runAgainstOracle(processor, SEGMENTS, {}, 80);
});

test("and those of measures of the brand's own", () => {
  const { processor } = new CustomerDriver({ ...definitions(OWN_SEGMENTS), measures: OWN });
  runAgainstOracle(processor, OWN_SEGMENTS, { measures: OWN }, 40);
});

const RATIOS = [
  ratioOf('basket', 'revenue', 'orders'),
  ratioOf('per-visit', 'orders', 'sessions'),
  ratioOf('share-of-big', 'big', 'orders'),
  ratioOf('views-per-big', 'page_views', 'big'),
  ratioOf('mean-amount', 'spent', 'big'),
];

const RATIO_SEGMENTS = {
  basket: { 'ratios.basket.30d': { $gte: 300 } },
  converting: { 'ratios.per-visit.7d': { $gt: 0.5 } },
  exactly: { 'ratios.share-of-big.24h': 0.5 },
  ever: { 'ratios.share-of-big.lifetime': { $lt: 0.6 } },
  minus: { 'ratios.basket.90d': { $lt: 0 } },
  looking: { 'ratios.views-per-big.30d': { $gte: 2, $lte: 4 }, 'traits.big.365d': { $gte: 1 } },
  mean: { $or: [{ 'ratios.mean-amount.7d': { $gte: 500 } }, { 'ratios.mean-amount.1h': { $lt: 200 } }] },
  undivided: { 'ratios.per-visit.24h': null, segments: { $ne: 'mean' } },
};

test("and those of ratios of the brand's own", () => {
  const own = { measures: OWN, ratios: RATIOS };
  const { processor } = new CustomerDriver({ ...definitions(RATIO_SEGMENTS), ...own });
  runAgainstOracle(processor, RATIO_SEGMENTS, own, 60);
});

const SEQUENCES = {
  abandoned: { $sequence: { first: { type: 'CART_ADD' }, thenNot: { type: 'ORDER_PLACED' }, within: '3d' } },
  fresh: { $sequence: { first: { type: 'CART_ADD' }, thenNot: { type: 'ORDER_PLACED' }, within: '12h', for: '2d' } },
  persuaded: { $sequence: { first: { type: 'MESSAGE_CLICKED' }, then: { type: 'ORDER_PLACED' }, within: '5d' } },
  quick: {
    $sequence: { first: { type: 'CART_ADD' }, then: { 'order.amountMinor': { $gte: 300 } }, within: '30m', for: '1d' },
    'traits.page_views.7d': { $gte: 1 },
  },
  quiet: {
    $sequence: { first: { type: 'ORDER_PLACED' }, thenNot: { type: 'ORDER_PLACED' }, within: '30d', for: '60d' },
  },
  neither: {
    $nor: [
      { segments: { $in: ['quiet', 'persuaded'] } },
      { $sequence: { first: { type: 'CART_ADD' }, then: { type: 'CART_ADD' }, within: '1h', for: '6h' } },
    ],
  },
};

test('and those of sequences, late and disordered events included', () => {
  const { processor } = new CustomerDriver(definitions(SEQUENCES));
  runAgainstOracle(processor, SEQUENCES, {}, 40);
});

function runAgainstOracle(
  processor: CustomerProcessor,
  segments: Readonly<Record<string, Record<string, unknown>>>,
  own: OwnDefinitions,
  numRuns: number,
): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), span, fc.boolean(), (steps, after, isRepacking) => {
      const happenings = happeningsOf(steps);
      const until = Math.max(...happenings.map(({ at }) => at)) + after;
      const expected = runOracle(segments, happenings, until, own);
      const driver = new CustomerDriver(processor);
      driver.isRepacking = isRepacking;
      for (const { at, interaction: happened } of happenings) driver.record(at, happened);
      driver.silence(until);
      expect(driver.outcomes).toEqual(expected.outcomes);
      expect(driver.memberships).toEqual(expected.memberships);
      const view = driver.view(until);
      // Churn has a test of its own (customer-silence.test.ts).
      expect(view).toEqual(view.churn === undefined ? expected.view : { ...expected.view, churn: view.churn });
    }),
    { numRuns },
  );
}
