import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Definitions } from '../../processors/core/definitions.ts';
import {
  EXPOSURES,
  EXPOSURES_MAX,
  MATCHES_MAX,
  mergeExposures,
  type Exposures,
} from '../../processors/customer/exposures.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { ExperimentEvent, Interaction, InteractionType } from '../../schemas/types.ts';
import { contributionText, experiment, standingUnits, withExperiments } from '../harness/experiments.ts';
import { CustomerDriver, DAY, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { ORDER } from './intake-fixture.ts';

const T = MIDNIGHT + 9 * HOUR;
const definitions = withExperiments([experiment()]);

const exposed = (variant: string, experimentId = 'button'): Partial<Interaction> => ({
  type: 'EXPERIMENT_EXPOSED',
  experiment: { experimentId, variant },
});
const order = (orderId: string, amountMinor = 1000, type: InteractionType = 'ORDER_PLACED'): Partial<Interaction> => ({
  type,
  order: { ...ORDER, orderId, amountMinor },
});

class ExperimentDriver extends CustomerDriver {
  constructor(from: Definitions | ConstructorParameters<typeof CustomerDriver>[0] = definitions) {
    super(from);
  }
  get events(): ExperimentEvent[] {
    return this.outputs
      .filter(({ topic }) => topic === 'experiment-events.v1')
      .map(({ value }) => value as ExperimentEvent);
  }
  get steps(): string[] {
    return this.events.map(({ before, after }) => `${contributionText(before)} > ${contributionText(after)}`);
  }
  /** What counts now, by experiment. */
  get standing(): Record<string, string> {
    const standing: Record<string, string> = {};
    for (const [unit, text] of standingUnits(this.events)) standing[unit.split('|')[0] ?? ''] = text;
    return standing;
  }
  get exposures(): Exposures {
    return this.#open().parts.get(EXPOSURES);
  }
  get hasExposures(): boolean {
    return this.#open().parts.has(EXPOSURES);
  }
  #open(): OpenState {
    const open = new OpenState();
    open.open(this.state);
    return open;
  }
}

describe('a unit', () => {
  test('counts from its exposure on, each time in place of what it counted for before', () => {
    const driver = new ExperimentDriver()
      .record(T, exposed('B'))
      .record(T + HOUR, order('o-1', 4200))
      .record(T + DAY, { type: 'COMPLAINT' })
      .record(T + 2 * DAY, { type: 'PAGE_VIEW' });
    expect(driver.steps).toEqual([
      '- > B ordered 0 revenue 0 complaints 0',
      'B ordered 0 revenue 0 complaints 0 > B ordered 1 revenue 4200 complaints 0',
      'B ordered 1 revenue 4200 complaints 0 > B ordered 1 revenue 4200 complaints 1',
    ]);
    const [first] = driver.outputs.filter(({ topic }) => topic === 'experiment-events.v1');
    expect(first).toMatchObject({ key: 'acme|button', timestamp: T, value: { subject: 'u:1', occurredAt: T } });
  });

  test('counts by a filter what its events say, twice or once, also when the exposure comes late', () => {
    const [ordered, ...others] = experiment().metrics;
    if (ordered === undefined) throw new Error('no metric');
    const filtered = {
      ...ordered,
      ...{ id: 'checkout', kind: 'count' as const, types: [], windowDays: 7 },
      where: { type: 'COMPLAINT', touchpoint: { $in: ['checkout', 'cart'] } },
    };
    const events = [
      [T + HOUR, { type: 'COMPLAINT', touchpoint: 'checkout' }],
      [T + 2 * HOUR, { type: 'COMPLAINT', touchpoint: 'room' }],
      [T + 3 * HOUR, { type: 'PAGE_VIEW', touchpoint: 'checkout' }],
      [T + 4 * HOUR, { type: 'COMPLAINT', touchpoint: 'cart', machineGenerated: true }],
      [T + 5 * HOUR, { type: 'COMPLAINT', touchpoint: 'cart' }],
      [T + 8 * DAY, { type: 'COMPLAINT', touchpoint: 'cart' }],
    ] as const;
    const withFilter = withExperiments([experiment({ metrics: [filtered, ...others] })]);
    const driver = new ExperimentDriver(withFilter).record(T, exposed('A'));
    for (const [at, what] of events) {
      const event = { ...what, eventId: `e-${at}` };
      driver.record(at, event).record(at + MINUTE, { ...event, occurredAt: at });
    }
    expect(driver.standing['button']).toBe('A checkout 2 revenue 0 complaints 4');
    const late = new ExperimentDriver(withFilter);
    for (const [at, what] of events) late.record(at, what);
    late.record(T + 8 * DAY, { ...exposed('A'), occurredAt: T });
    expect(late.standing).toEqual(driver.standing);
    // Another filter is another question: what was remembered for the first one is none of its own.
    const other = { ...filtered, where: { type: 'COMPLAINT', touchpoint: 'room' } };
    driver.processor = createCustomer(withExperiments([experiment({ metrics: [other, ...others] })], 'other'));
    driver.record(T + 9 * DAY, { type: 'PAGE_VIEW' });
    expect(driver.standing['button']).toBe('A checkout 0 revenue 0 complaints 4');
  });

  test('counts what happens from the very moment of the exposure to just before the end of the window', () => {
    const driver = new ExperimentDriver()
      .record(T - 1, order('before'))
      .record(T, exposed('A'))
      .record(T + 1, { ...order('at once', 10), occurredAt: T })
      .record(T + 7 * DAY - 1, order('last', 100))
      .record(T + 7 * DAY, order('too late', 5000))
      .record(T + 14 * DAY - 1, { type: 'COMPLAINT' })
      .record(T + 14 * DAY, { type: 'COMPLAINT' });
    expect(driver.standing).toEqual({ button: 'A ordered 1 revenue 110 complaints 1' });
  });

  test('finds what came before its exposure did, when the exposure is late', () => {
    const driver = new ExperimentDriver()
      .record(T - DAY, { type: 'COMPLAINT' })
      .record(T + HOUR, order('o-1', 70))
      .record(T + 2 * HOUR, { type: 'COMPLAINT' })
      .record(T + 3 * HOUR, { ...exposed('A'), occurredAt: T });
    expect(driver.steps).toEqual(['- > A ordered 1 revenue 70 complaints 1']);
  });

  test('is not told again by repeats, and not by clicks of machines', () => {
    const driver = new ExperimentDriver()
      .record(T, { ...exposed('A'), eventId: 'same' })
      .record(T + 1, { ...exposed('A'), eventId: 'same' })
      .record(T + 2, exposed('A'))
      .record(T + 3, { type: 'MESSAGE_CLICKED', machineGenerated: true })
      .record(T + 4, order('o-1'))
      .record(T + 5, order('o-1'));
    expect(driver.outcomes).toEqual(['apply', 'duplicate_event', 'apply', 'apply', 'apply', 'duplicate_order']);
    expect(driver.steps).toHaveLength(2);
  });

  test('gives back what is cancelled or refunded, whenever that is', () => {
    const driver = new ExperimentDriver()
      .record(T, exposed('A'))
      .record(T + HOUR, order('o-1', 500))
      .record(T + 2 * HOUR, order('o-2', 300))
      .record(T + 20 * DAY, order('o-2', 120, 'ORDER_REFUNDED'))
      .record(T + 30 * DAY, order('o-1', 500, 'ORDER_CANCELLED'));
    expect(driver.standing).toEqual({ button: 'A ordered 1 revenue 180 complaints 0' });
    driver.record(T + 31 * DAY, order('o-2', 300, 'ORDER_CANCELLED'));
    expect(driver.standing).toEqual({ button: 'A ordered 0 revenue 0 complaints 0' });
  });

  test('counts orders in another currency, but no revenue of them', () => {
    const dollars = { type: 'ORDER_PLACED', order: { ...ORDER, currency: 'USD' } } as const;
    const driver = new ExperimentDriver().record(T, exposed('A')).record(T + 1, dollars);
    expect(driver.standing).toEqual({ button: 'A ordered 1 revenue 0 complaints 0' });
  });
});

describe('of several exposures', () => {
  test('the first one wins; another variant makes a crossover, once', () => {
    const driver = new ExperimentDriver()
      .record(T, exposed('B'))
      .record(T + HOUR, exposed('A'))
      .record(T + 2 * HOUR, exposed('A'));
    expect(driver.steps).toEqual([
      '- > B ordered 0 revenue 0 complaints 0',
      'B ordered 0 revenue 0 complaints 0 > B* ordered 0 revenue 0 complaints 0',
    ]);
  });

  test('a late one that was earlier moves the unit to its variant and its time', () => {
    const driver = new ExperimentDriver()
      .record(T - 2 * HOUR, order('o-0', 7))
      .record(T, exposed('B'))
      .record(T + HOUR, order('o-1', 90))
      .record(T + 2 * HOUR, { ...exposed('A'), occurredAt: T - 3 * HOUR });
    expect(driver.standing).toEqual({ button: 'A* ordered 1 revenue 97 complaints 0' });
    expect(driver.exposures.list).toEqual([
      { experimentId: 'button', variant: 'A', at: T - 3 * HOUR, crossover: true },
    ]);
  });

  test('at the same millisecond the lesser name is the first, whichever comes first', () => {
    for (const variants of [
      ['A', 'B'],
      ['B', 'A'],
    ]) {
      const driver = new ExperimentDriver();
      for (const variant of variants) driver.record(T, exposed(variant));
      expect(driver.standing).toEqual({ button: 'A* ordered 0 revenue 0 complaints 0' });
    }
  });

  test('what no file knows, or not so, is nobody’s unit', () => {
    const driver = new ExperimentDriver()
      .record(T, exposed('C'))
      .record(T, exposed('A', 'unheard-of'))
      .record(T, { type: 'EXPERIMENT_EXPOSED' })
      .record(T + 400 * DAY, { type: 'PAGE_VIEW' })
      .record(T + 400 * DAY, { ...exposed('A'), occurredAt: T });
    expect(driver.outcomes.at(-1)).toBe('beyond_horizon');
    expect(driver.events).toEqual([]);
    expect(driver.hasExposures).toBe(false);
  });
});

describe('a holdout', () => {
  const set = withExperiments([experiment({ holdout: 'winter' }), experiment({ id: 'winter', metrics: [] })]);

  test('takes no part, whichever exposure comes first', () => {
    const before = new ExperimentDriver(set).record(T, exposed('A', 'winter')).record(T + 1, exposed('B'));
    const after = new ExperimentDriver(set)
      .record(T, exposed('B'))
      .record(T + 1, order('o-1'))
      .record(T + 2, exposed('A', 'winter'));
    expect(before.standing).toEqual({ winter: 'A', button: 'B held out' });
    expect(after.standing).toEqual(before.standing);
  });

  test('is its control alone', () => {
    const driver = new ExperimentDriver(set).record(T, exposed('B', 'winter')).record(T + 1, exposed('B'));
    expect(driver.standing).toEqual({ winter: 'B', button: 'B ordered 0 revenue 0 complaints 0' });
  });
});

describe('other definitions', () => {
  test('count anew at the next touch; what is defined no more stands as it is', () => {
    const driver = new ExperimentDriver().record(T, exposed('A')).record(T + 8 * DAY, order('o-1', 60));
    const [ordered] = experiment().metrics;
    if (ordered === undefined) throw new Error('there is no metric');
    const longer = experiment({ metrics: [{ ...ordered, windowDays: 10 }] });
    driver.processor = createCustomer(withExperiments([longer], 'other'));
    driver.record(T + 9 * DAY, { type: 'PAGE_VIEW' });
    expect(driver.standing).toEqual({ button: 'A ordered 1' });
    driver.processor = createCustomer(withExperiments([experiment({ id: 'link' })], 'third'));
    driver.record(T + 9 * DAY, order('o-2')).record(T + 9 * DAY + 1, exposed('B', 'link'));
    expect(driver.standing).toEqual({ button: 'A ordered 1', link: 'B ordered 0 revenue 0 complaints 0' });
    expect(driver.events).toHaveLength(3);
  });

  test('a brand without experiments keeps nothing', () => {
    const driver = new ExperimentDriver(withExperiments([experiment({ brands: ['other'] })]));
    driver.record(T, exposed('A')).record(T, { type: 'COMPLAINT' });
    expect(driver.hasExposures).toBe(false);
    expect(driver.state.told).toHaveLength(0);
  });
});

test('an order too old for any window counts through the deadline that follows it', () => {
  const [ordered] = experiment().metrics;
  if (ordered === undefined) throw new Error('there is no metric');
  const set = withExperiments([experiment({ metrics: [{ ...ordered, windowDays: 90 }] })]);
  const driver = new ExperimentDriver(set)
    .record(T, exposed('A'))
    .record(T + 370 * DAY, { ...order('o-1'), occurredAt: T + DAY })
    .silence(T + 370 * DAY);
  expect(driver.outcomes).toEqual(['apply', 'beyond_horizon']);
  expect(driver.standing).toEqual({ button: 'A ordered 1' });
});

describe('memory is bounded', () => {
  test('what a metric counts is remembered one by one up to a limit; what it was then stands', () => {
    const driver = new ExperimentDriver().record(T, exposed('A'));
    for (let n = 1; n <= MATCHES_MAX + 5; n++) driver.record(T + n * MINUTE, { type: 'COMPLAINT' });
    expect(driver.exposures.matches).toHaveLength(MATCHES_MAX);
    expect(driver.standing).toEqual({ button: `A ordered 0 revenue 0 complaints ${MATCHES_MAX}` });
  });

  test('and for as long as the longest window and a day', () => {
    const driver = new ExperimentDriver()
      .record(T, { type: 'COMPLAINT' })
      .record(T + 16 * DAY, { type: 'COMPLAINT' })
      .record(T + 16 * DAY + 1, { type: 'COMPLAINT', occurredAt: T });
    expect(driver.exposures).toMatchObject({ matches: [{ at: T + 16 * DAY }], forgottenAt: T });
  });

  test('revenue stands when the order book does not reach back any more', () => {
    const driver = new ExperimentDriver().record(T, exposed('A'));
    for (let n = 1; n <= 66; n++) driver.record(T + n * MINUTE, order(`o-${n}`, 1));
    expect(driver.standing).toEqual({ button: 'A ordered 1 revenue 64 complaints 0' });
    driver.record(T + HOUR, order('o-60', 1, 'ORDER_CANCELLED'));
    expect(driver.standing).toEqual({ button: 'A ordered 1 revenue 64 complaints 0' });
  });

  test('exposures to experiments that are gone make room', () => {
    const ids = Array.from({ length: EXPOSURES_MAX + 3 }, (_, n) => `experiment-${n}`);
    const driver = new ExperimentDriver(withExperiments([]));
    for (const [n, id] of ids.entries()) {
      driver.processor = createCustomer(withExperiments([experiment({ id })], id));
      driver.record(T + n, exposed('A', id));
    }
    expect(driver.exposures.list).toHaveLength(EXPOSURES_MAX);
    expect(driver.exposures.list.at(-1)?.experimentId).toBe(ids.at(-1));
  });
});

const happenings = fc.array(
  fc.record({
    what: fc.constantFrom(
      exposed('A'),
      exposed('B'),
      exposed('A', 'link'),
      { type: 'COMPLAINT' } as const,
      order('o-1', 5),
      order('o-2', 70),
      order('o-1', 5, 'ORDER_CANCELLED'),
      order('o-2', 20, 'ORDER_REFUNDED'),
    ),
    at: fc.integer({ min: 0, max: 12 * 24 }),
  }),
  { maxLength: 12 },
);
const set = withExperiments([experiment({ holdout: 'link' }), experiment({ id: 'link' })]);

/** All of it logged at the end, in this order. */
function foldLate(events: readonly { what: Partial<Interaction>; at: number }[], driver = new ExperimentDriver(set)) {
  for (const { what, at } of events) driver.record(T + 13 * DAY, { ...what, occurredAt: T + at * HOUR });
  return driver;
}

test('events in any order end in the same unit, and every step takes back what counted', () => {
  const property = fc.property(happenings, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (events, keys) => {
    // One of each order: a repeat with another time is another story.
    const unique = [...new Map(events.map((each) => [JSON.stringify(each.what), each])).values()];
    const shuffled = unique
      .map((each, place) => ({ each, key: keys[place] ?? 0 }))
      .toSorted((one, other) => one.key - other.key)
      .map(({ each }) => each);
    expect(foldLate(shuffled).standing).toEqual(foldLate(unique).standing);
  });
  fc.assert(property, { numRuns: 300 });
});

test('two customers who are one have its exposures, whoever is merged into whom', () => {
  const property = fc.property(happenings, happenings, (one, other) => {
    const matchesOf = (events: typeof one) => events.filter(({ what }) => what.order === undefined);
    const [mine, theirs] = [matchesOf(one), matchesOf(other)];
    const copy = (events: typeof one): Exposures => structuredClone(foldLate(events).exposures);
    const sorted = ({ list, ...rest }: Exposures) => ({
      ...rest,
      list: list.toSorted((left, right) => (left.experimentId < right.experimentId ? -1 : 1)),
    });
    const both = sorted(copy([...mine, ...theirs]));
    expect(sorted(mergeExposures(copy(mine), copy(theirs)))).toEqual(both);
    expect(sorted(mergeExposures(copy(theirs), copy(mine)))).toEqual(both);
  });
  fc.assert(property, { numRuns: 200 });
});
