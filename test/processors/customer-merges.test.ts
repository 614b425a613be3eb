import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../processors/core/fingerprint.ts';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { MEASURES, type Measure } from '../../processors/customer/features.ts';
import { mergeCustomers } from '../../processors/customer/merge.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { mergeOf, MERGES } from '../../processors/customer/part-list.ts';
import { NO_PARTS, OpenParts, type PartId } from '../../processors/customer/parts.ts';
import { planOf } from '../../processors/customer/plan.ts';
import { Postings } from '../../processors/customer/postings.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import type { Interaction } from '../../schemas/types.ts';
import { affinityOf, measureOf, TRIGGER_SETTINGS } from '../harness/definition-sets.ts';
import { experiment } from '../harness/experiments.ts';
import { PART_SPECS, type PartSpec } from '../harness/part-specs.ts';
import { CustomerDriver, definitionsWithJourney, HOUR, MIDNIGHT } from './customer-fixture.ts';

/** Everything that a part is kept for. */
const DEFINITIONS = {
  ...definitionsWithJourney({
    abandoned: { $sequence: { first: { type: 'CART_ADD' }, thenNot: { type: 'ORDER_PLACED' }, within: '3d' } },
    fresh: { $sequence: { first: { type: 'CART_ADD' }, thenNot: { type: 'ORDER_PLACED' }, within: '12h', for: '2d' } },
    quick: { $sequence: { first: { type: 'CART_ADD' }, then: { type: 'ORDER_PLACED' }, within: '1d', for: '3d' } },
    sad: { 'scores.sentiment': { $lt: 0 } },
    buyers: { 'traits.orders.lifetime': { $gte: 1 } },
  }),
  affinities: new Map([['acme', affinityOf()]]),
  experiments: new Map(['button', 'colour'].map((id) => [id, experiment({ id })])),
  triggers: new Map([['acme', TRIGGER_SETTINGS]]),
  measures: [
    measureOf('carts', 'count', { type: 'CART_ADD' }),
    measureOf('spent', 'sum', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
    measureOf('dearest', 'max', { type: 'ORDER_PLACED' }, 'order.amountMinor'),
    measureOf('kinds', 'distinct', { channel: 'WEB' }, 'type'),
    measureOf('newest', 'last', { type: 'ORDER_PLACED' }, 'order.currency'),
  ],
};
const YEAR = 360 * 24 * HOUR;
const ORDER_MEASURES = ['interactions', 'orders', 'revenue', 'refunds'] as const;
const processor = createCustomer(DEFINITIONS);
const plan = planOf(compileDefinitions(DEFINITIONS)('acme'));

/** An event of one of three identifiers of a person. */
interface Step {
  readonly who: number;
  readonly at: number;
  readonly event: Partial<Interaction>;
}

function stepsOf({ event, spanMs, eventsMax }: PartSpec): fc.Arbitrary<Step[]> {
  const at = fc.oneof(
    fc.integer({ min: 0, max: spanMs }),
    fc.integer({ min: 0, max: Math.min(spanMs, 2 * HOUR) }),
    fc.integer({ min: 0, max: Math.floor(spanMs / HOUR) }).map((hours) => hours * HOUR),
  );
  const step = fc.record({ who: fc.integer({ min: 0, max: 2 }), at: at.map((ms) => MIDNIGHT + ms), event });
  return fc
    .uniqueArray(step, { minLength: 1, maxLength: eventsMax, selector: (each) => each.at })
    .map((steps) => steps.map((each, index) => ({ ...each, event: { ...each.event, eventId: `e-${index}` } })))
    .map((steps) => steps.sort((a, b) => a.at - b.at));
}

/** The parts of one customer who did all of it, at `until`. */
function partsOf(steps: readonly Step[], until: number): Buffer {
  const driver = new CustomerDriver(processor);
  for (const { at, event } of steps) driver.record(at, event);
  return driver.silence(until).state.parts;
}

function factsOf(id: PartId, parts: Buffer, now: number): unknown {
  const open = new OpenParts();
  open.open(parts);
  return PART_SPECS[id].facts(open.get(MERGES[id].part), { plan, now });
}

/** What the second and later ones leave of the first when they are merged into it. */
function merged(packed: readonly Buffer[], now: number): Buffer {
  return packed.reduce((into, from) => {
    const [mine, theirs] = [new OpenParts(), new OpenParts()];
    mine.open(into);
    theirs.open(from);
    mine.merge(theirs, mergeOf, { plan, now, postings: new Postings() });
    return mine.close();
  });
}

const IDS = Object.keys(MERGES).map((id) => Number(id) as PartId);

test('every part says how its merge is put to the test', () => {
  expect(Object.keys(PART_SPECS)).toEqual(IDS.map(String));
});

describe.each(IDS.map((id) => [id, PART_SPECS[id]] as const))('part %i, of customers who are one', (id, spec) => {
  const until = MIDNIGHT + spec.spanMs + HOUR;
  const property = (holds: (three: readonly Buffer[], all: Buffer) => void): void => {
    let moved = 0;
    fc.assert(
      fc.property(stepsOf(spec), (steps) => {
        const all = partsOf(steps, until);
        const parts = new OpenParts();
        parts.open(all);
        if (parts.has({ id })) moved += 1;
        holds(
          [0, 1, 2].map((who) =>
            partsOf(
              steps.filter((each) => each.who === who),
              until,
            ),
          ),
          all,
        );
      }),
      { numRuns: 60 },
    );
    // Links are kept by steps of their own.
    if (id !== 0) expect(moved).toBeGreaterThan(20);
  };

  test('with nobody is what it was', () => {
    property(([one = NO_PARTS]) => {
      expect(factsOf(id, merged([one, NO_PARTS], until), until)).toEqual(factsOf(id, one, until));
    });
  });

  if (spec.isHandedOn) {
    test('is what one customer has who did all of it, whoever is merged into whom, nobody too', () => {
      property(([one = NO_PARTS, other = NO_PARTS, third = NO_PARTS], all) => {
        const expected = factsOf(id, all, until);
        expect(factsOf(id, merged([one, other, third], until), until)).toEqual(expected);
        expect(factsOf(id, merged([NO_PARTS, third, other, one], until), until)).toEqual(expected);
        expect(factsOf(id, merged([one, merged([other, third], until)], until), until)).toEqual(expected);
      });
    });
  } else {
    test('stays with the identifier that it is of', () => {
      property(([one = NO_PARTS, other = NO_PARTS]) => {
        expect(factsOf(id, merged([one, other], until), until)).toEqual(factsOf(id, one, until));
        expect(factsOf(id, merged([NO_PARTS, other], until), until)).toEqual(factsOf(id, NO_PARTS, until));
      });
    });
  }
});

describe('what is kept of customers beside the parts', () => {
  const orderEvent = fc
    .record({
      type: fc.constantFrom('ORDER_PLACED' as const, 'ORDER_PLACED' as const, 'ORDER_CANCELLED', 'ORDER_REFUNDED'),
      number: fc.integer({ min: 0, max: 4 }),
      currency: fc.constantFrom('JPY', 'JPY', 'EUR'),
    })
    // The same order has the same words, whoever tells of it.
    .map(({ type, number, currency }): Partial<Interaction> => {
      const amountMinor = type === 'ORDER_REFUNDED' ? 30 : 100 * (number + 1);
      const told = type === 'ORDER_REFUNDED' ? currency : number === 0 ? 'EUR' : 'JPY';
      return { type, order: { orderId: `o-${number}`, amountMinor, currency: told, guest: number === 1, items: [] } };
    });
  const identified = fc
    .record({ name: fc.constantFrom('plan', 'size', 'city'), value: fc.constantFrom('a', 'b') })
    .map(({ name, value }): Partial<Interaction> => ({ type: 'IDENTIFIED', attributes: { [name]: value } }));
  const seen = fc
    .constantFrom('PAGE_VIEW' as const, 'MESSAGE_DELIVERED' as const, 'MESSAGE_CLICKED' as const, 'CART_ADD' as const)
    .map((type): Partial<Interaction> => ({ type }));

  const bodies = (spanMs: number): PartSpec => ({
    isHandedOn: true,
    event: fc.oneof({ weight: 2, arbitrary: orderEvent }, identified, seen),
    spanMs,
    eventsMax: 20,
    facts: (value) => value,
  });
  const mergedState = (states: readonly CustomerState[], now: number): CustomerState =>
    states.reduce((into, from) => {
      const [mine, theirs] = [new OpenState(), new OpenState()];
      mine.open(into);
      theirs.open(from);
      mergeCustomers(mine, theirs, plan, now);
      const state = { ...into };
      mine.keepIn(state);
      return state;
    });
  interface Look {
    readonly spanMs: number;
    readonly measures: readonly Measure[];
    /** The same order may be told under several identifiers. */
    readonly isRepeated: boolean;
  }
  const placedOnce = (steps: readonly Step[]): Step[] => {
    const placed = new Set<string>();
    return steps.filter(({ event: { type, order } }) => {
      if (type !== 'ORDER_PLACED' || order === undefined || order === null) return true;
      return !placed.has(order.orderId) && placed.add(order.orderId);
    });
  };
  const seenOf = (state: CustomerState, steps: readonly Step[], { measures, isRepeated }: Look, now: number) => {
    const open = new OpenState();
    open.open(state);
    const { traits, ages, ratios, attributes, churn } = processor.profileView(state, now);
    const ids = isRepeated ? [] : steps.filter(({ at }) => now - at < 24 * HOUR);
    return {
      traits: measures.map((name) => [name, traits[name], isRepeated || name === 'sessions' ? null : ages[name]]),
      ...{ ratios, attributes, churn, facts: open.facts },
      ids: ids.map(({ event }) => open.ids.has(fingerprint(event.eventId ?? ''), now)),
    };
  };
  const stateOf = (steps: readonly Step[], until: number): CustomerState => {
    const driver = new CustomerDriver(processor);
    for (const { at, event } of steps) driver.record(at, event);
    return driver.silence(until).state;
  };

  test.each([
    ['of a day, sessions too', { spanMs: 20 * HOUR, measures: MEASURES, isRepeated: false }],
    // Of older sessions those of both stay apart.
    ['of a year', { spanMs: YEAR, measures: MEASURES.filter((name) => name !== 'sessions'), isRepeated: false }],
    // Told again elsewhere, an order is a visit there, and the last thing that was done.
    ['with orders told under several', { spanMs: YEAR, measures: ORDER_MEASURES, isRepeated: true }],
  ] as const)('%s is that of one customer who did all of it, whoever is merged into whom', (_name, look) => {
    const until = MIDNIGHT + look.spanMs + HOUR;
    fc.assert(
      fc.property(stepsOf(bodies(look.spanMs)), (told) => {
        const steps = look.isRepeated ? told : placedOnce(told);
        const expected = seenOf(stateOf(steps, until), steps, look, until);
        const of = (who: number): CustomerState =>
          stateOf(
            steps.filter((each) => each.who === who),
            until,
          );
        const orders = [
          [of(0), of(1), of(2)],
          [stateOf([], until), of(2), of(1), of(0)],
          [of(0), mergedState([of(1), of(2)], until)],
        ];
        for (const each of orders) expect(seenOf(mergedState(each, until), steps, look, until)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
