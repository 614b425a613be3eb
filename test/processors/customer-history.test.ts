import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANGES_KEPT, HISTORY_BYTES_MAX, HISTORY_PART } from '../../processors/customer/history.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import {
  CustomerDriver,
  DAY,
  definitions,
  definitionsWithJourney,
  HOUR,
  MIDNIGHT,
  MINUTE,
} from './customer-fixture.ts';

const T = MIDNIGHT + 10 * HOUR + 7 * MINUTE;
const SEGMENTS = {
  browsing: { 'traits.page_views.1h': { $gte: 1 } },
  buyers: { 'traits.orders.30d': { $gte: 1 } },
  quiet: { 'ages.interactions': { $gte: 3 } },
  'quiet-buyers': { $and: [{ segments: 'quiet' }, { segments: 'buyers' }] },
};
const order = (id: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId: id, amountMinor: 5000, currency: 'JPY', guest: false, items: [] },
});

/** Every record published, as a history tells it, in order. */
function published(driver: CustomerDriver) {
  const memberships = driver.memberships.map(({ at, cause, changes }) => ({ at, cause, changes }));
  const churn = driver.churn.map(({ occurredAt: at, cause, probability }) => ({ at, cause, probability }));
  return { memberships, churn };
}

function told(driver: CustomerDriver, until: number) {
  const { changes } = driver.processor.history(driver.state, until);
  return {
    memberships: changes.flatMap((change) => {
      if (change.kind !== 'memberships') return [];
      const turned = change.changes.map((each) => (each.change === 'ENTERED' ? '+' : '-') + each.segmentId);
      return [{ at: change.at, cause: change.cause, changes: turned }];
    }),
    churn: changes.flatMap(({ at, cause, ...change }) =>
      change.kind === 'churn' ? [{ at, cause, probability: change.probability }] : [],
    ),
  };
}

function bytes(driver: CustomerDriver): number {
  const parts = new OpenParts();
  parts.open(driver.state.parts);
  const { names, changes } = parts.get(HISTORY_PART);
  return names.length + changes.length;
}

const EARN = (points: number) => ({ type: 'POINTS_EARNED' as const, attributes: { points: String(points) } });
const ENROL = { type: 'LOYALTY_ENROLLED' as const };

describe('the history of a member', () => {
  const loyal = (segments = {}, changes = {}) =>
    new CustomerDriver(definitionsWithJourney(segments, { stages: null, lifecycle: null, ...changes }));
  const tiersOf = (driver: CustomerDriver, until: number) =>
    driver.processor
      .history(driver.state, until)
      .changes.flatMap(({ at, cause, ...change }) =>
        change.kind === 'tier' ? [[at, cause, `${change.from} > ${change.to}`]] : [],
      );

  test('tells the loyalty tier at an instant, and when silence took it', () => {
    const driver = loyal({ keen: { 'traits.points_earned.1h': { $gt: 0 } } }).record(T, EARN(900));
    driver
      .record(T + DAY, ENROL)
      .record(T + 2 * DAY, EARN(1200))
      .record(T + 2 * DAY, EARN(1200));
    const [first, second] = [MIDNIGHT + 366 * DAY, MIDNIGHT + 368 * DAY];
    expect(tiersOf(driver, second)).toEqual([
      [T + DAY, 'EVENT', 'null > silver'],
      [T + 2 * DAY, 'EVENT', 'silver > gold'],
      [second, 'TIME', 'gold > member'],
    ]);
    const history = driver.processor.history(driver.state, second);
    // The history begins with a segment, before anybody was a member.
    expect([T, T + DAY - 1, T + DAY, first, second].map((at) => history.labelAt('tier', at))).toEqual([
      null,
      null,
      'silver',
      'gold',
      'member',
    ]);
    expect(history.membershipsAt(T)).toEqual(['keen']);
  });

  test('has the tier that a late enrolment gave at its instant, and none when the programme ends', () => {
    const driver = loyal()
      .record(T, ENROL)
      .record(T + HOUR, { ...ENROL, occurredAt: T - DAY });
    const { processor } = new CustomerDriver({
      ...definitionsWithJourney({}, { stages: null, lifecycle: null, loyalty: null }),
      hash: 'without',
    });
    driver.processor = processor;
    driver.record(T + 2 * HOUR);
    expect(tiersOf(driver, T + 2 * HOUR)).toEqual([
      [T, 'EVENT', 'null > member'],
      [T + 2 * HOUR, 'DEFINITION', 'member > null'],
    ]);
    expect(driver.processor.history(driver.state, T + 3 * HOUR).labelAt('tier', T + 3 * HOUR)).toBeNull();
  });

  test('of who is no member has none', () => {
    const driver = loyal().record(T, EARN(900));
    expect([tiersOf(driver, T + DAY), bytes(driver)]).toEqual([[], 0]);
  });
});

describe('the history of a customer', () => {
  test('says which segments and which risk there were at an instant, changes of that instant included', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T).record(T + DAY, order('a'));
    const flip = MIDNIGHT + 11 * HOUR + 10 * MINUTE;
    const history = driver.processor.history(driver.state, T + 9 * DAY);
    expect(history).toMatchObject({ since: T, asOf: T + DAY, until: T + 9 * DAY });
    expect(history.membershipsAt(T - 1)).toBeNull();
    expect(history.membershipsAt(T)).toEqual(['browsing']);
    expect(history.membershipsAt(flip - 1)).toEqual(['browsing']);
    expect(history.membershipsAt(flip)).toEqual([]);
    expect(history.membershipsAt(T + DAY)).toEqual(['buyers']);
    expect(history.membershipsAt(T + 4 * DAY)).toEqual(['buyers', 'quiet', 'quiet-buyers']);
    expect(history.membershipsAt(T + 9 * DAY + 1)).toBeNull();
    expect(history.churnAt(T)).toBeNull();
    const [risk] = driver.churn;
    expect(history.churnAt(T + DAY)).toEqual({ probability: risk?.probability, band: risk?.band });
  });

  test('of one of whom nothing was ever published begins at its clock', () => {
    const driver = new CustomerDriver(definitions({ buyers: SEGMENTS.buyers })).record(T);
    const history = driver.processor.history(driver.state, T + DAY);
    expect(history).toMatchObject({ since: T, changes: [] });
    expect(history.membershipsAt(T)).toEqual([]);
    expect(history.membershipsAt(T - 1)).toBeNull();
    expect(bytes(driver)).toBe(0);
  });

  test('has what other definitions changed, with that cause, and names segments that are defined no more', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T, order('a'));
    driver.processor = createCustomer(definitions({ quiet: SEGMENTS.quiet }, 'definitions-2'));
    driver.record(T + 10 * MINUTE);
    expect(told(driver, T + HOUR)).toEqual(published(driver));
    expect(told(driver, T + HOUR).memberships.at(-1)).toMatchObject({ cause: 'DEFINITION', changes: ['-buyers'] });
    const history = driver.processor.history(driver.state, T + HOUR);
    expect(history.membershipsAt(T)).toEqual(['buyers']);
    expect(history.membershipsAt(T + HOUR)).toEqual([]);
  });

  test('is not changed by a repeat, and has what came late at the instant it was published', () => {
    const driver = new CustomerDriver(definitions(SEGMENTS)).record(T + DAY, { ...order('a'), eventId: 'one' });
    driver.record(T + DAY + 1, { ...order('a'), eventId: 'one' });
    driver.record(T + DAY + 2, { ...order('b'), occurredAt: T - 20 * DAY });
    expect(told(driver, T + DAY + 2)).toEqual(published(driver));
    expect(driver.churn.map(({ occurredAt }) => occurredAt)).toEqual([T + DAY, T + DAY + 2]);
  });

  test(`keeps the newest ${CHANGES_KEPT} changes at least, and begins later when the oldest are gone`, () => {
    const driver = new CustomerDriver(definitions(SEGMENTS));
    for (let day = 0; day < 150; day++) driver.record(T + day * DAY).silence(T + day * DAY + 5 * HOUR);
    driver.record(T + 150 * DAY, order('a'));
    const all = published(driver).memberships;
    expect(all.length).toBeGreaterThan(CHANGES_KEPT);
    const kept = told(driver, T + 150 * DAY).memberships;
    expect(kept.length).toBeLessThanOrEqual(CHANGES_KEPT + 24);
    expect(kept.length).toBeGreaterThanOrEqual(CHANGES_KEPT - 1);
    expect(kept).toEqual(all.slice(-kept.length));
    const history = driver.processor.history(driver.state, T + 150 * DAY);
    expect(history.since).toBe(all.at(-kept.length - 1)?.at);
    expect(history.membershipsAt(history.since - 1)).toBeNull();
    expect(history.membershipsAt(history.since)).toEqual(
      all.at(-kept.length - 1)?.changes[0] === '+browsing' ? ['browsing'] : [],
    );
  });

  test('forgets what is older than 365 days, and what the risk was then is still known', () => {
    const driver = new CustomerDriver(definitions({ buyers: { 'traits.orders.lifetime': { $gte: 1 } } }));
    driver.record(T, order('a'));
    const [first] = driver.churn;
    driver.silence(T + 396 * DAY);
    const before = driver.churn.at(-1);
    driver.record(T + 400 * DAY, order('b')).record(T + 400 * DAY + 1, order('c'));
    const history = driver.processor.history(driver.state, T + 401 * DAY);
    expect(history.since).toBe(T + 35 * DAY);
    expect(history.changes.every(({ at }) => at >= T + 35 * DAY)).toBe(true);
    expect(history.membershipsAt(T + 35 * DAY)).toEqual(['buyers']);
    expect(history.churnAt(T + 35 * DAY)?.probability).toBeGreaterThanOrEqual(first?.probability ?? 1);
    expect(history.churnAt(T + 399 * DAY)?.probability).toBe(before?.probability);
  });

  test(`never takes more than ${HISTORY_BYTES_MAX} bytes, whatever changes at once`, () => {
    const many = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, n) => [`segment-number-${n}`, { 'traits.page_views.1h': { $gte: 1 } }]),
    );
    const driver = new CustomerDriver(definitions(many)).record(T);
    expect(bytes(driver)).toBeLessThanOrEqual(HISTORY_BYTES_MAX);
    const history = driver.processor.history(driver.state, T);
    expect(history.since).toBe(T);
    expect(history.membershipsAt(T)).toHaveLength(1_000);
  });
});

const TYPES = ['PAGE_VIEW', 'PAGE_VIEW', 'ORDER_PLACED', 'ORDER_CANCELLED'] as const;
const gap = fc.oneof(fc.integer({ min: 0, max: 2 * HOUR }), fc.integer({ min: 0, max: 40 * DAY }));
const steps = fc.array(fc.record({ gap, late: gap, type: fc.constantFrom(...TYPES) }), { minLength: 1, maxLength: 30 });

test('a history is what was published: the same changes, instants and causes, whatever happened', () => {
  const processor = createCustomer(definitions(SEGMENTS));
  const same = fc.property(steps, gap, (events, rest) => {
    const driver = new CustomerDriver(processor);
    let at = T;
    events.forEach(({ gap: passed, late, type }, index) => {
      at += passed;
      const about = type.startsWith('ORDER') ? { ...order(`o-${index % 3}`), type } : { type };
      driver.record(at, { ...about, occurredAt: index % 4 === 3 ? at - late : at });
    });
    const foretold = told(driver, at + rest);
    driver.silence(at + rest);
    const all = published(driver);
    // As far as it reaches back.
    expect(foretold.memberships).toEqual(all.memberships.slice(all.memberships.length - foretold.memberships.length));
    expect(foretold.churn).toEqual(all.churn.slice(all.churn.length - foretold.churn.length));
    const history = processor.history(driver.state, at + rest);
    const { memberships, churn } = driver;
    for (const { at: instant } of history.changes) {
      const was = memberships.findLast((line) => line.at <= instant);
      expect(history.membershipsAt(instant)).toEqual(was?.members ?? []);
      const risk = churn.findLast(({ occurredAt }) => occurredAt <= instant);
      expect(history.churnAt(instant)?.probability).toBe(risk?.probability);
    }
  });
  fc.assert(same, { numRuns: 40 });
});
