import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays, lifecycleAt, STRETCHES_MAX, type Stretch } from '../../processors/customer/lifecycle.ts';
import {
  stageAt,
  stageRule,
  STAGES,
  heldUntil,
  type Stage,
  type StageFacts,
} from '../../processors/customer/stages.ts';
import { JOURNEY_SETTINGS } from '../harness/definition-sets.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const { stages, lifecycle } = JOURNEY_SETTINGS;
if (stages === null || lifecycle === null) throw new Error('the shipped journey is followed');

describe('stages', () => {
  const NEW: StageFacts = { firstOrderAt: -1, lastOrderAt: -1, recommendedDay: -1, intentUntil: -1 };
  // Today is day 1,000; days ago, as the settings count them.
  const NOW = 1_000 * DAY;
  const ago = (days: number): number => NOW - days * DAY;

  test.each<[string, Partial<StageFacts>, Stage, number]>([
    ['nothing but a first touch', {}, 'awareness', Infinity],
    ['product intent', { intentUntil: NOW + 5 }, 'consideration', NOW + 5],
    ['intent that ends now', { intentUntil: NOW }, 'awareness', Infinity],
    ['a first order', { firstOrderAt: ago(1), lastOrderAt: ago(1) }, 'purchase', ago(1) + 30 * DAY],
    ['a first order 30 days ago', { firstOrderAt: ago(30), lastOrderAt: ago(30) }, 'retention', ago(30) + 90 * DAY],
    ['an order since', { firstOrderAt: ago(500), lastOrderAt: ago(2) }, 'retention', ago(2) + 90 * DAY],
    ['no order for 90 days', { firstOrderAt: ago(500), lastOrderAt: ago(90) }, 'awareness', Infinity],
    [
      '… but product intent',
      { firstOrderAt: ago(500), lastOrderAt: ago(90), intentUntil: NOW + 9 },
      'consideration',
      NOW + 9,
    ],
    [
      'a recommendation of a buyer',
      { firstOrderAt: ago(500), lastOrderAt: ago(400), recommendedDay: 990 },
      'advocacy',
      1_170 * DAY,
    ],
    [
      'one of 180 days ago',
      { firstOrderAt: ago(5), lastOrderAt: ago(5), recommendedDay: 820 },
      'purchase',
      ago(5) + 30 * DAY,
    ],
    ['a recommendation without an order', { recommendedDay: 1_000 }, 'awareness', Infinity],
  ])('are a function of what is known: %s', (_, facts, stage, until) => {
    expect(stageAt({ ...NEW, ...facts }, stages, NOW)).toEqual({ stage, until });
  });

  test('every move has a rule, and only moves backwards wait', () => {
    const table = STAGES.map((from) => STAGES.map((to) => (from === to ? '' : stageRule(from, to, true))));
    expect(table).toEqual([
      ['', 'product_intent', 'first_order', 'ordered', 'recommended'],
      ['intent_faded', '', 'first_order', 'ordered', 'recommended'],
      ['lapsed', 'lapsed', '', 'onboarded', 'recommended'],
      ['lapsed', 'lapsed', 'first_order', '', 'recommended'],
      ['lapsed', 'lapsed', 'recommendation_faded', 'recommendation_faded', ''],
    ]);
    expect(stageRule('purchase', 'consideration', false)).toBe('order_withdrawn');
    expect(stageRule(null, 'awareness', false)).toBe('first_touch');
    expect(stageRule(null, 'retention', true)).toBe('ordered');
    for (const [from, moves] of table.entries()) {
      for (const to of moves.keys()) {
        const until = heldUntil(STAGES[from] ?? 'awareness', STAGES[to] ?? 'awareness', NOW, stages);
        expect(until).toBe(to < from ? NOW + 24 * HOUR : -1);
      }
    }
  });

  test('end exactly when they say', () => {
    const facts = fc.record({
      firstOrderAt: fc.integer({ min: 600, max: 1_000 }).map((day) => day * DAY + 7),
      gap: fc.integer({ min: 0, max: 200 }),
      hasOrder: fc.boolean(),
      recommendedDay: fc.constantFrom(-1, 700, 850, 990),
      intentUntil: fc.constantFrom(-1, 990 * DAY, 1_010 * DAY),
    });
    fc.assert(
      fc.property(facts, ({ firstOrderAt, gap, hasOrder, recommendedDay, intentUntil }) => {
        const orders = hasOrder
          ? { firstOrderAt, lastOrderAt: Math.min(NOW, firstOrderAt + gap * DAY) }
          : { firstOrderAt: -1, lastOrderAt: -1 };
        const known = { ...orders, recommendedDay, intentUntil };
        const { stage, until } = stageAt(known, stages, NOW);
        if (until === Infinity) return;
        expect(stageAt(known, stages, until - 1).stage).toBe(stage);
        expect(stageAt(known, stages, until).stage).not.toBe(stage);
      }),
    );
  });
});

describe('lifecycle', () => {
  const at = (firstDay: number, startDay: number, endDay: number, today: number) =>
    lifecycleAt(firstDay, { startDay, endDay }, lifecycle, today * DAY + 5 * HOUR);

  test.each([
    ['new for 14 days', at(100, 100, 100, 113), 'new', 114],
    ['active then', at(100, 100, 110, 114), 'active', 140],
    ['at risk after 30 days of silence', at(100, 100, 110, 140), 'at_risk', 170],
    ['dormant after 60', at(100, 100, 110, 170), 'dormant', 290],
    ['churned after 180', at(100, 100, 110, 290), 'churned', Infinity],
    ['resurrected for 30 days after that', at(100, 170, 170, 199), 'resurrected', 200],
    ['active then', at(100, 170, 190, 200), 'active', 220],
    ['silent as anybody when the return was the last', at(100, 170, 170, 230), 'dormant', 350],
  ])('is %s', (_, found, degree, untilDay) => {
    expect(found).toEqual({ lifecycle: degree, until: untilDay === Infinity ? Infinity : untilDay * DAY });
  });

  test('stretches are the same in whatever order their days come', () => {
    const days = fc.array(fc.integer({ min: 0, max: 180 }), { minLength: 1, maxLength: 12 });
    const shuffled = days.chain((each) =>
      fc.tuple(fc.constant(each), fc.shuffledSubarray(each, { minLength: each.length })),
    );
    const stretchesOf = (each: readonly number[]): Stretch[] => {
      const stretches: Stretch[] = [];
      for (const day of each) addDays(stretches, { startDay: day, endDay: day }, 60);
      return stretches;
    };
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(stretchesOf(other)).toEqual(stretchesOf(one));
      }),
    );
  });

  test('the newest four stretches are kept', () => {
    const stretches: Stretch[] = [];
    for (let day = 0; day < 1_000; day += 100) addDays(stretches, { startDay: day, endDay: day }, 60);
    expect(stretches.map(({ startDay }) => startDay)).toEqual([600, 700, 800, 900]);
    expect(stretches).toHaveLength(STRETCHES_MAX);
  });
});
