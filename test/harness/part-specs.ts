import fc from 'fast-check';
import type { Instant } from '../../processors/core/processor.ts';
import { unroll, Unrolled } from '../../processors/core/unroll.ts';
import { sumsOf, type BrandPart } from '../../processors/customer/brand-part.ts';
import type { Exposures } from '../../processors/customer/exposures.ts';
import { WINDOWS } from '../../processors/customer/features.ts';
import { dormantDaysOf, type Journey } from '../../processors/customer/journey.ts';
import { joinStretches } from '../../processors/customer/lifecycle.ts';
import type { Loyalty } from '../../processors/customer/loyalty.ts';
import { openMeasured, type MeasuredByKey } from '../../processors/customer/measured.ts';
import type { Message } from '../../processors/customer/messages-part.ts';
import type { PartId } from '../../processors/customer/parts.ts';
import type { Plan } from '../../processors/customer/plan.ts';
import { isHolding } from '../../processors/customer/sequence-state.ts';
import type { SequenceStates } from '../../processors/customer/sequence-part.ts';
import { dropOutOfReach } from '../../processors/customer/sessions.ts';
import type { Subscriptions } from '../../processors/customer/subscriptions.ts';
import type { Triggers } from '../../processors/customer/triggers.ts';
import type { Visits } from '../../processors/customer/visits-packing.ts';
import { SPANS } from '../../processors/customer/windows.ts';
import type { Interaction, InteractionType } from '../../schemas/types.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How the merge of one part is put to the test (customer-merges.test.ts): by what customers do, and by what must be the same
 * of the part whichever customer is merged into which. Every part has one: a new part without does not compile.
 */
export interface PartSpec {
  /** False: the part is of an identifier, not of the person. It stays as it is, whatever is merged in. */
  readonly isHandedOn: boolean;
  /** One event, its time and id aside: of a kind that moves the part. */
  readonly event: fc.Arbitrary<Partial<Interaction>>;
  /** Events lie so far apart at the most, from the first to the last: no further than the part promises. */
  readonly spanMs: number;
  readonly eventsMax: number;
  /** What must be the same, as plain values. What is found anew after a merge, or is documented to differ, is left out. */
  readonly facts: (value: unknown, at: { readonly plan: Plan; readonly now: Instant }) => unknown;
}

const oneOf = (...types: InteractionType[]): fc.Arbitrary<Partial<Interaction>> =>
  fc.constantFrom(...types).map((type) => ({ type }));

const ordered = fc
  .record({
    orderId: fc.uuid(),
    amountMinor: fc.integer({ min: 0, max: 900 }),
    currency: fc.constantFrom('JPY', 'JPY', 'EUR'),
    guest: fc.boolean(),
  })
  .map((order): Partial<Interaction> => ({ type: 'ORDER_PLACED', order: { ...order, items: [] } }));

const scored = fc
  .integer({ min: 0, max: 10 })
  .map((value): Partial<Interaction> => ({ type: 'SURVEY_ANSWERED', score: { metric: 'NPS', value, surveyId: null } }));

const answered = fc
  .record({
    metric: fc.constantFrom('NPS' as const, 'CSAT' as const, 'CES' as const, 'RATING' as const),
    value: fc.integer({ min: 1, max: 5 }),
    text: fc.constantFrom('terrible', 'great', '17', null),
  })
  .map(({ metric, value, text }): Partial<Interaction> => {
    return { type: 'SURVEY_ANSWERED', score: { metric, value, surveyId: null }, text, language: 'en' };
  });

const onPage = fc
  .record({
    type: fc.constantFrom('PAGE_VIEW' as const, 'PAGE_ENGAGEMENT' as const),
    page: fc.option(fc.integer({ min: 0, max: 5 }), { freq: 6 }),
    engagedMs: fc.integer({ min: 0, max: 60_000 }),
  })
  .map(({ type, page, engagedMs }): Partial<Interaction> => ({
    type,
    pageViewId: page === null ? null : `page-${page}`,
    engagedMs: type === 'PAGE_ENGAGEMENT' ? engagedMs : null,
  }));

const aboutMessage = (ids: fc.Arbitrary<string | null>): fc.Arbitrary<Partial<Interaction>> =>
  fc.record({
    type: fc.constantFrom(
      'MESSAGE_SENT' as const,
      'MESSAGE_DELIVERED' as const,
      'MESSAGE_OPENED' as const,
      'MESSAGE_CLICKED' as const,
    ),
    messageId: ids,
    machineGenerated: fc.boolean(),
  });

const subscribed = fc
  .record({
    type: fc.constantFrom(
      'SUBSCRIPTION_STARTED' as const,
      'SUBSCRIPTION_RENEWED' as const,
      'SUBSCRIPTION_RENEWED' as const,
      'SUBSCRIPTION_CANCELLED' as const,
    ),
    id: fc.integer({ min: 0, max: 3 }),
  })
  // A period is told once, when it begins.
  .map(({ type, id }): Partial<Interaction> => {
    const attributes = { subscriptionId: `s-${id}` };
    return {
      type,
      attributes: type === 'SUBSCRIPTION_STARTED' ? { ...attributes, periodDays: `${26 + id}` } : attributes,
    };
  });

const exposed = fc
  .record({ experimentId: fc.constantFrom('button', 'colour'), variant: fc.constantFrom('A', 'B') })
  .map((experiment): Partial<Interaction> => ({ type: 'EXPERIMENT_EXPOSED', experiment }));

const liked = fc
  .record({
    type: fc.constantFrom('PRODUCT_VIEW' as const, 'CART_ADD' as const, 'PAGE_VIEW' as const),
    channel: fc.constantFrom('WEB' as const, 'APP' as const),
    // As many as are kept: nothing has to go.
    category: fc.constantFrom(...'abcdefgh'),
  })
  .map(({ type, channel, category }): Partial<Interaction> => {
    return { type, channel, product: { productId: `p-${category}`, category, priceMinor: null } };
  });

const tilesOf = (part: BrandPart): Record<number, unknown> => {
  const found: Record<number, unknown> = {};
  const unrolled = new Unrolled();
  for (const [place, { hours, days }] of sumsOf(part)) {
    found[place] = [hours, days].flatMap((tiles) => {
      unroll(tiles, 0, unrolled);
      return Array.from({ length: unrolled.length }, (_each, index) => [
        unrolled.slot(index),
        unrolled.value(index),
      ]).filter(([, value]) => value !== 0);
    });
  }
  return Object.fromEntries(Object.entries(found).filter(([, each]) => (each as unknown[]).length > 0));
};

export const PART_SPECS: Readonly<Record<PartId, PartSpec>> = {
  0: { isHandedOn: false, event: oneOf('PAGE_VIEW'), spanMs: DAY, eventsMax: 3, facts: (value) => value },
  1: {
    isHandedOn: true,
    event: fc.oneof({ weight: 3, arbitrary: onPage }, { weight: 1, arbitrary: oneOf('CART_ADD', 'SEARCH') }, ordered),
    // Sessions that an event can still touch, and page views that can still be measured.
    spanMs: 20 * HOUR,
    eventsMax: 15,
    facts(value, { now }) {
      const { sessions, views, ...rest } = value as Visits;
      dropOutOfReach(sessions, now);
      return { ...rest, sessions, views: views.toSorted((a, b) => a.id - b.id) };
    },
  },
  2: {
    isHandedOn: true,
    event: fc.oneof(oneOf('PAGE_VIEW', 'REFERRAL_SENT', 'MESSAGE_DELIVERED'), scored),
    // As many stretches as are kept at the most.
    spanMs: 239 * DAY,
    eventsMax: 12,
    facts(value, { plan }) {
      const { firstDay, recommendedDay, stretches } = value as Journey;
      joinStretches(stretches, dormantDaysOf(plan.rules.journey));
      return { firstDay, recommendedDay, stretches };
    },
  },
  3: {
    isHandedOn: true,
    event: fc.oneof(
      oneOf('LOYALTY_ENROLLED', 'PAGE_VIEW'),
      fc.constant({ type: 'POINTS_EARNED' as const, attributes: { points: '300' } }),
    ),
    spanMs: 400 * DAY,
    eventsMax: 8,
    // The tier is found anew.
    facts: (value) => (value as Loyalty).enrolledAt,
  },
  30: { isHandedOn: false, event: fc.oneof(ordered, scored), spanMs: 90 * DAY, eventsMax: 6, facts: (value) => value },
  40: {
    isHandedOn: true,
    // Without ids: a message that two customers opened was opened by two.
    event: fc.oneof(ordered, aboutMessage(fc.constant(null)), oneOf('REFERRAL_CONVERTED', 'UNSUBSCRIBED')),
    spanMs: 360 * DAY,
    eventsMax: 15,
    facts: (value) => tilesOf(value as BrandPart),
  },
  41: {
    isHandedOn: true,
    event: aboutMessage(fc.option(fc.integer({ min: 0, max: 20 }).map((id) => `m-${id}`))),
    spanMs: 90 * DAY,
    eventsMax: 30,
    facts: (value) => (value as Message[]).toSorted((a, b) => a.id - b.id),
  },
  42: {
    isHandedOn: true,
    event: subscribed,
    // None is over at the end, and forgotten: a month is what nobody told.
    spanMs: 50 * DAY,
    eventsMax: 12,
    // Of one that is over nothing need be known but that; whether one is overdue is found anew.
    facts: (value, { now }) =>
      (value as Subscriptions).all
        .filter(
          ({ paidAt, cancelledAt, periodDays }) => cancelledAt < paidAt && now < paidAt + 2 * (periodDays || 30) * DAY,
        )
        .map(({ id, paidAt, periodDays }) => ({ id, paidAt, periodDays }))
        .toSorted((a, b) => a.id - b.id),
  },
  50: {
    isHandedOn: true,
    event: fc.oneof(exposed, oneOf('COMPLAINT', 'MESSAGE_CLICKED')),
    spanMs: 10 * DAY,
    eventsMax: 20,
    facts(value) {
      const { list, ...rest } = value as Exposures;
      return { ...rest, list: list.toSorted((a, b) => (a.experimentId < b.experimentId ? -1 : 1)) };
    },
  },
  60: {
    isHandedOn: true,
    event: fc.oneof(ordered, oneOf('PAGE_VIEW', 'CART_ADD')),
    spanMs: 360 * DAY,
    eventsMax: 15,
    facts(value, { plan, now }) {
      const measured = value as MeasuredByKey;
      return plan.rules.measures
        .filter(({ key }) => measured.has(key))
        .map((measure) => {
          const { summary, lastAt } = openMeasured(measured, measure);
          return [
            measure.definition.id,
            lastAt,
            ...WINDOWS.map((window) => measure.gathering.valueIn(summary, SPANS[window], now)),
          ];
        });
    },
  },
  61: {
    isHandedOn: true,
    event: fc.oneof(ordered, oneOf('CART_ADD', 'CART_ADD', 'PAGE_VIEW')),
    spanMs: 8 * DAY,
    eventsMax: 12,
    facts: (value, { plan, now }) =>
      [...(plan.gathering?.sequencesByKey.values() ?? [])].map(({ sequence }) => {
        const state = (value as SequenceStates).get(sequence.key);
        return Array.from({ length: 60 }, (_each, ahead) =>
          state === undefined ? false : isHolding(state, sequence, now + ahead * 5 * HOUR),
        );
      }),
  },
  70: {
    isHandedOn: true,
    event: fc.oneof(
      ordered,
      oneOf('CART_ADD', 'PAGE_VIEW', 'MESSAGE_DELIVERED'),
      fc.constant({ type: 'MESSAGE_OPENED' as const, machineGenerated: true }),
    ),
    spanMs: 40 * DAY,
    eventsMax: 12,
    // What was told under each identifier was told; what is due, and milestones, are found anew.
    facts(value) {
      const { startedAt, machineMade, toldOrders } = value as Triggers;
      return { startedAt, machineMade, toldOrders };
    },
  },
  71: {
    isHandedOn: true,
    event: liked,
    spanMs: 360 * DAY,
    eventsMax: 20,
    facts: (value) => value,
  },
  72: {
    isHandedOn: true,
    event: answered,
    spanMs: 400 * DAY,
    eventsMax: 12,
    facts: (value) => value,
  },
};
