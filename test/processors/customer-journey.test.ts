import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { JOURNEY, mergeJourneys } from '../../processors/customer/journey.ts';
import { lifecycleAt } from '../../processors/customer/lifecycle.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import type { Interaction } from '../../schemas/types.ts';
import { JOURNEY_SETTINGS } from '../harness/definition-sets.ts';
import { CustomerDriver, DAY, definitionsWithJourney, HOUR, MIDNIGHT, MINUTE, partials } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 10 * HOUR;
const ORDER = { orderId: 'o-1', amountMinor: 5000, currency: 'JPY', guest: false, items: [] };

const buy = (orderId = 'o-1') => ({ type: 'ORDER_PLACED', order: { ...ORDER, orderId } }) as const;

const answer = (value: number) =>
  ({ type: 'SURVEY_ANSWERED', score: { metric: 'NPS', value, surveyId: null } }) as const;

describe('the stage of a customer', () => {
  test('goes forwards with events, and by silence on and back, to the millisecond', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T)
      .record(T + MINUTE, { type: 'PRODUCT_VIEW' })
      .record(T + 2 * MINUTE, { type: 'PRODUCT_VIEW' })
      .record(T + 3 * MINUTE, { type: 'PRODUCT_VIEW' })
      .record(T + HOUR, buy())
      .silence(T + 365 * DAY);
    expect(driver.journey('STAGE')).toEqual([
      [T, 'EVENT', ' > awareness (first_touch)'],
      [T + 3 * MINUTE, 'EVENT', 'awareness > consideration (product_intent)'],
      [T + HOUR, 'EVENT', 'consideration > purchase (first_order)'],
      [T + HOUR + 30 * DAY, 'TIME', 'purchase > retention (onboarded)'],
      [T + HOUR + 90 * DAY, 'TIME', 'retention > awareness (lapsed)'],
    ]);
    expect(driver.gauges).toMatchObject({ awareness: 1, consideration: 0, purchase: 0, retention: 0, churned: 1 });
    // Silence publishes traits with it.
    expect(driver.traits.at(-2)).toMatchObject({ occurredAt: T + HOUR + 90 * DAY, journey: { stage: 'awareness' } });
  });

  test('of whoever keeps looking at products lasts from the last look on, found at the deadline of the first', () => {
    const driver = new CustomerDriver(definitionsWithJourney()).record(T, { type: 'CART_ADD' });
    const first = driver.state.due;
    for (let day = 1; day <= 20; day++) driver.record(T + day * DAY, { type: 'CART_ADD' });
    driver.silence(T + 365 * DAY);
    const until = MIDNIGHT + (21 + (JOURNEY_SETTINGS.stages?.considerationDays ?? NaN)) * DAY;
    expect(driver.journey('STAGE')).toEqual([
      [T, 'EVENT', ' > consideration (product_intent)'],
      [until, 'TIME', 'consideration > awareness (intent_faded)'],
    ]);
    expect(first).toBeLessThan(until);
  });

  test('is told of the brand: stays by the day they began, and answers by the stage they came in', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T)
      .record(T + DAY, { type: 'CART_ADD' })
      .record(T + DAY + HOUR, buy())
      .record(T + 2 * DAY, answer(10))
      .record(T + 2 * DAY, { ...answer(10), eventId: 'same' })
      .record(T + 2 * DAY, { ...answer(3), eventId: 'same' })
      .record(T + 3 * DAY, { ...answer(3), machineGenerated: true });
    const said = partials(driver.totals, T + 3 * DAY);
    expect(said['stage awareness']).toEqual({ stageEntered: 1, stageAdvanced: 1, stageLeft: 1, stageSeconds: 86_400 });
    expect(said['stage consideration']).toMatchObject({ stageEntered: 1, stageAdvanced: 1, stageSeconds: 3600 });
    // The first answer made an advocate, to whom the second one came.
    expect(said['stage purchase']).toMatchObject({ stageAdvanced: 1, npsAnswers: 1, npsSatisfied: 1 });
    expect(said['stage advocacy']).toMatchObject({ stageEntered: 1, npsAnswers: 1, npsSatisfied: 1 });
    expect(said['brand all']).toMatchObject({ npsAnswers: 2, npsSatisfied: 2 });
    // Back, by silence, is no conversion; and what began in the window leaves it to the day.
    driver.silence(T + 364 * DAY);
    const later = partials(driver.totals, T + 364 * DAY);
    expect(later['stage advocacy']).not.toHaveProperty('stageAdvanced');
    expect(later['stage advocacy']).toMatchObject({ stageLeft: 1 });
    driver.silence(MIDNIGHT + 366 * DAY);
    expect(partials(driver.totals, MIDNIGHT + 366 * DAY)['stage awareness']).not.toHaveProperty('stageAdvanced');
  });

  test('under an identifier that is linked is a stay of nobody', () => {
    const customers = new Customers(createCustomer(definitionsWithJourney()))
      .event('a:x', T)
      .event('u:1', T + HOUR, buy())
      .foldAll();
    const entered = (stage: string): number =>
      partials(customers.totals, T + HOUR)[`stage ${stage}`]?.['stageEntered'] ?? 0;
    expect([entered('awareness'), entered('purchase')]).toEqual([1, 1]);
    customers.link('a:x', 'u:1', T + HOUR).foldAll();
    expect([entered('awareness'), entered('purchase')]).toEqual([0, 1]);
  });

  test('goes back when the only order is cancelled, once the customer has been there for a day', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T, { type: 'CART_ADD' })
      .record(T + HOUR, buy())
      .record(T + 2 * HOUR, { type: 'ORDER_CANCELLED', order: ORDER })
      .silence(T + 3 * DAY);
    expect(driver.journey('STAGE').slice(1)).toEqual([
      [T + HOUR, 'EVENT', 'consideration > purchase (first_order)'],
      [T + HOUR + DAY, 'TIME', 'purchase > consideration (order_withdrawn)'],
    ]);
    const later = new CustomerDriver(definitionsWithJourney())
      .record(T, buy())
      .record(T + 3 * DAY, { type: 'ORDER_CANCELLED', order: ORDER });
    expect(later.journey('STAGE').at(-1)).toEqual([T + 3 * DAY, 'EVENT', 'purchase > awareness (order_withdrawn)']);
  });

  test('does not change with a refund, with what comes twice, or when a cancelled order comes late', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T, buy())
      .record(T + 1, { type: 'ORDER_REFUNDED', order: ORDER })
      .record(T + 2, { ...buy(), eventId: 'again' })
      .record(T + 3, { type: 'ORDER_CANCELLED', order: { ...ORDER, orderId: 'o-2' } })
      .record(T + 4, buy('o-2'));
    expect(driver.journey('STAGE')).toEqual([[T, 'EVENT', ' > purchase (first_order)']]);
  });

  test('a cancellation that is taken back within the day is not told', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T, buy())
      .record(T + HOUR, { type: 'ORDER_CANCELLED', order: ORDER })
      .record(T + 2 * HOUR, buy('o-2'))
      .silence(T + 5 * DAY);
    expect(driver.journey('STAGE')).toHaveLength(1);
  });

  test('is advocacy for who recommends: a referral, a promoter, a good rating', () => {
    const score = (metric: 'NPS' | 'RATING' | 'CSAT', value: number): Partial<Interaction> => ({
      type: 'SURVEY_ANSWERED',
      score: { metric, value, surveyId: null },
    });
    const stageAfter = (changes: Partial<Interaction>): string | undefined =>
      new CustomerDriver(definitionsWithJourney())
        .record(T, buy())
        .record(T + HOUR, changes)
        .view(T + HOUR).stage;
    expect(stageAfter({ type: 'REFERRAL_SENT' })).toBe('advocacy');
    expect(
      [score('NPS', 8), score('NPS', 9), score('RATING', 3), score('RATING', 4), score('CSAT', 10)].map(stageAfter),
    ).toEqual(['purchase', 'advocacy', 'purchase', 'advocacy', 'purchase']);
    expect(stageAfter({ type: 'REFERRAL_SENT', machineGenerated: true })).toBe('purchase');
  });

  test('and the lifecycle are the same in whatever order events come', () => {
    const event = fc.record({
      days: fc.integer({ min: 0, max: 150 }),
      type: fc.constantFrom<Interaction['type']>(
        'PRODUCT_VIEW',
        'CART_ADD',
        'ORDER_PLACED',
        'ORDER_CANCELLED',
        'REFERRAL_SENT',
        'MESSAGE_OPENED',
        'MESSAGE_DELIVERED',
      ),
      order: fc.constantFrom('o-1', 'o-2'),
    });
    const shuffled = fc
      .uniqueArray(event, {
        minLength: 1,
        maxLength: 10,
        selector: ({ type, order, days }) => `${type}${type.startsWith('ORDER') ? order : days}`,
      })
      .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })));
    const { processor } = new CustomerDriver(definitionsWithJourney());
    const end = T + 152 * DAY;
    const standing = (events: readonly { days: number; type: Interaction['type']; order: string }[]) => {
      const driver = new CustomerDriver(processor);
      for (const { days, type, order } of events) {
        const occurredAt = T + days * DAY;
        driver.record(Math.max(occurredAt, driver.state.at), { occurredAt, type, order: { ...ORDER, orderId: order } });
      }
      driver.silence(end);
      const { stage, lifecycle } = driver.view(end);
      return { stage, lifecycle };
    };
    fc.assert(
      fc.property(shuffled, ([events, others]) => {
        expect(standing(others)).toEqual(standing(events));
      }),
    );
  });
});

describe('the lifecycle of a customer', () => {
  test('goes by silence through risk and dormancy, and back by a return', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T)
      .record(T + 200 * DAY)
      .silence(T + 231 * DAY);
    expect(driver.journey('LIFECYCLE')).toEqual([
      [T, 'EVENT', ' > new (first_seen)'],
      [MIDNIGHT + 14 * DAY, 'TIME', 'new > active (settled)'],
      [MIDNIGHT + 30 * DAY, 'TIME', 'active > at_risk (silence)'],
      [MIDNIGHT + 60 * DAY, 'TIME', 'at_risk > dormant (silence)'],
      [MIDNIGHT + 180 * DAY, 'TIME', 'dormant > churned (silence)'],
      [T + 200 * DAY, 'EVENT', 'churned > resurrected (returned)'],
      [MIDNIGHT + 230 * DAY, 'TIME', 'resurrected > at_risk (silence)'],
    ]);
  });

  test('is not known of who only gets messages, or whose mail program opens them', () => {
    const driver = new CustomerDriver(definitionsWithJourney())
      .record(T, { type: 'MESSAGE_DELIVERED' })
      .record(T + 1, { type: 'MESSAGE_OPENED', machineGenerated: true });
    expect(driver.view(T + 1)).toMatchObject({ stage: 'awareness' });
    expect(driver.view(T + 1).lifecycle).toBeUndefined();
  });
});

test('segments can name both, and follow them by silence', () => {
  const driver = new CustomerDriver(
    definitionsWithJourney({
      lost: { lifecycle: { $in: ['dormant', 'churned'] } },
      lapsed: { stage: { $ne: 'retention' } },
    }),
  )
    .record(T, buy())
    .silence(T + 100 * DAY);
  expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
    [T, ['+lapsed']],
    [T + 30 * DAY, ['-lapsed']],
    [MIDNIGHT + 60 * DAY, ['+lost']],
    [T + 90 * DAY, ['+lapsed']],
  ]);
  const { segments } = driver.processor.inspect(new CustomerDriver(driver.processor).record(T, buy()).state, T + DAY);
  expect(segments.map(({ segmentId, nextFlipAt }) => [segmentId, nextFlipAt])).toEqual([
    ['lapsed', T + 30 * DAY],
    ['lost', MIDNIGHT + 60 * DAY],
  ]);
});

test('the summary has both', () => {
  const driver = new CustomerDriver(definitionsWithJourney()).record(T, buy());
  expect(driver.processor.state.summarize(new ByteReader(driver.packed()))).toMatchObject({
    stage: 'purchase',
    lifecycle: 'new',
  });
});

test('two customers who are one were there since the first day of both', () => {
  const journeyOf = (...days: number[]) => {
    const driver = new CustomerDriver(definitionsWithJourney());
    for (const day of days) driver.record(T + day * DAY);
    const parts = new OpenParts();
    parts.open(driver.state.parts);
    return parts.get(JOURNEY);
  };
  const into = journeyOf(100, 110);
  mergeJourneys(into, journeyOf(0, 20), JOURNEY_SETTINGS);
  const { firstDay, stretches } = journeyOf(0, 20, 100, 110);
  expect(into.firstDay).toBe(firstDay);
  expect(into.stretches.at(-1)?.endDay).toBe(stretches.at(-1)?.endDay);
});

test('two customers who are one and were never away for long are not back after a silence: no day is dropped before all are joined', () => {
  const lifecycle = { newDays: 5, activeDays: 10, dormantDays: 20, churnedDays: 90, resurrectedDays: 80 };
  const settings = { ...JOURNEY_SETTINGS, lifecycle };
  const journeyOf = (...days: number[]) => ({
    ...JOURNEY.initial(),
    firstDay: days[0] ?? -1,
    stretches: days.map((day) => ({ startDay: day, endDay: day })),
  });
  // Each away for 20 days again and again, both together for 10.
  const into = journeyOf(110, 130, 150, 170);
  mergeJourneys(into, journeyOf(100, 120, 140, 160), settings);
  expect(into.stretches).toEqual([{ startDay: 100, endDay: 170 }]);
  const [newest] = into.stretches;
  if (newest === undefined) throw new Error('no stretch');
  expect(lifecycleAt(into.firstDay, newest, lifecycle, 171 * DAY).lifecycle).toBe('active');
});
