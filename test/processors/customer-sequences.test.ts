import { describe, expect, test } from 'vitest';
import { SEQUENCES } from '../../processors/customer/sequence-part.ts';
import { SEQUENCES_MAX } from '../../processors/customer/sequences.ts';
import { definitionsWith, refusalOf } from '../harness/definition-sets.ts';
import { published } from '../harness/published-values.ts';
import { bytesOf, CustomerDriver, DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';

const CART = { type: 'CART_ADD' } as const;
const ORDER = { type: 'ORDER_PLACED' } as const;
const ABANDONED = { $sequence: { first: CART, thenNot: ORDER, within: '3d' } };
const PERSUADED = { $sequence: { first: { type: 'MESSAGE_CLICKED' }, then: ORDER, within: '2d', for: '30d' } };

const order = (orderId: string) => ({
  type: 'ORDER_PLACED' as const,
  order: { orderId, amountMinor: 100, currency: 'JPY', guest: false, items: [] },
});
const lines = ({ memberships }: CustomerDriver) =>
  memberships.map(({ at, cause, changes }) => [(at - MIDNIGHT) / HOUR, cause, changes.join()]);

describe('then not', () => {
  test('is true from exactly its time on, until what was missed happens', () => {
    const driver = new CustomerDriver(definitions({ abandoned: ABANDONED }));
    driver
      .record(MIDNIGHT + MINUTE, CART)
      .record(MIDNIGHT + 2 * HOUR, CART)
      .record(MIDNIGHT + 200 * HOUR, order('a'));
    driver
      .record(MIDNIGHT + 201 * HOUR, CART)
      .record(MIDNIGHT + 202 * HOUR, order('b'))
      .silence(MIDNIGHT + 900 * HOUR);
    expect(lines(driver)).toEqual([
      [72 + 1 / 60, 'TIME', '+abandoned'],
      [200, 'EVENT', '-abandoned'],
    ]);
    const [entered] = driver.outputs.filter(({ topic }) => topic === 'segment-memberships.v1');
    expect(published('segment-memberships.v1', entered?.value ?? {})).toMatchObject({
      changes: [
        {
          evidence: [
            {
              path: '$sequence',
              value: true,
              comparison: '{"type":"CART_ADD"} then not {"type":"ORDER_PLACED"} within 3d',
            },
          ],
        },
      ],
    });
  });

  test('ends after its stay, and begins anew with a new first event', () => {
    const where = { $sequence: { ...ABANDONED.$sequence, for: '1d' } };
    const driver = new CustomerDriver(definitions({ abandoned: where }));
    driver
      .record(MIDNIGHT, CART)
      .record(MIDNIGHT + 100 * HOUR, CART)
      .silence(MIDNIGHT + 900 * HOUR);
    expect(lines(driver)).toEqual([
      [72, 'TIME', '+abandoned'],
      [96, 'TIME', '-abandoned'],
      [172, 'TIME', '+abandoned'],
      [196, 'TIME', '-abandoned'],
    ]);
    expect(bytesOf(driver, SEQUENCES)).toBe(0);
  });

  test('is judged by the time at which events happened: one that comes late takes it back, or makes it true at once', () => {
    const driver = new CustomerDriver(definitions({ abandoned: ABANDONED }));
    driver.record(MIDNIGHT, CART).record(MIDNIGHT + 80 * HOUR, { ...order('a'), occurredAt: MIDNIGHT + HOUR });
    driver.record(MIDNIGHT + 81 * HOUR, { ...CART, occurredAt: MIDNIGHT + 2 * HOUR });
    // Before the order, although it comes after it.
    driver.record(MIDNIGHT + 82 * HOUR, { ...CART, occurredAt: MIDNIGHT + MINUTE });
    expect(lines(driver)).toEqual([
      [72, 'TIME', '+abandoned'],
      [80, 'EVENT', '-abandoned'],
      [81, 'EVENT', '+abandoned'],
    ]);
  });

  test('of the same event is silence after it', () => {
    const quiet = {
      $sequence: { first: order('a').type === 'ORDER_PLACED' ? ORDER : CART, thenNot: ORDER, within: '10d' },
    };
    const driver = new CustomerDriver(definitions({ quiet }));
    driver
      .record(MIDNIGHT, order('a'))
      .record(MIDNIGHT + 5 * DAY, order('b'))
      .silence(MIDNIGHT + 30 * DAY);
    expect(lines(driver)).toEqual([[15 * 24, 'TIME', '+quiet']]);
  });
});

describe('then', () => {
  test('is true from the event that completes it, for its stay after the latest', () => {
    const driver = new CustomerDriver(definitions({ persuaded: PERSUADED }));
    driver.record(MIDNIGHT, order('a')).record(MIDNIGHT + HOUR, { type: 'MESSAGE_CLICKED' });
    driver
      .record(MIDNIGHT + 49 * HOUR, order('b'))
      .record(MIDNIGHT + 100 * HOUR, order('c'))
      .silence(MIDNIGHT + 90 * DAY);
    expect(lines(driver)).toEqual([
      [49, 'EVENT', '+persuaded'],
      [49 + 30 * 24, 'TIME', '-persuaded'],
    ]);
  });

  test('does not ask in which order the two came, and counts a repeated one once', () => {
    const driver = new CustomerDriver(definitions({ persuaded: PERSUADED }));
    driver.record(MIDNIGHT + 10 * HOUR, order('a'));
    const click = { type: 'MESSAGE_CLICKED' as const, eventId: 'click', occurredAt: MIDNIGHT };
    driver
      .record(MIDNIGHT + 11 * HOUR, click)
      .record(MIDNIGHT + 12 * HOUR, click)
      .silence(MIDNIGHT + 90 * DAY);
    expect(driver.outcomes).toEqual(['apply', 'apply', 'duplicate_event']);
    expect(lines(driver)).toEqual([
      [11, 'EVENT', '+persuaded'],
      [10 + 30 * 24, 'TIME', '-persuaded'],
    ]);
  });

  test('does not pair an event with itself, nor two of the same millisecond', () => {
    const twice = { $sequence: { first: CART, then: CART, within: '1h' } };
    const driver = new CustomerDriver(definitions({ twice }));
    driver.record(MIDNIGHT, CART).record(MIDNIGHT, CART);
    expect(lines(driver)).toEqual([]);
    driver.record(MIDNIGHT + HOUR, CART);
    expect(lines(driver)).toEqual([[1, 'EVENT', '+twice']]);
  });
});

test('inspection foretells the deadline of a sequence, and joins it with other rules', () => {
  const driver = new CustomerDriver(definitions({ abandoned: { ...ABANDONED, 'ages.cart_adds': { $lt: 5 } } }));
  driver.record(MIDNIGHT, CART);
  const { segments } = driver.processor.inspect(driver.state, MIDNIGHT + HOUR);
  expect(segments).toMatchObject([
    {
      isMember: false,
      nextFlipAt: MIDNIGHT + 3 * DAY,
      leaves: [
        { path: '$sequence', holds: false, value: false, nextFlipAt: MIDNIGHT + 3 * DAY },
        { path: 'ages.cart_adds', holds: true, nextFlipAt: MIDNIGHT + 5 * DAY },
      ],
    },
  ]);
});

test('a sequence that is no longer asked for is forgotten, one that stays goes on', () => {
  const driver = new CustomerDriver(definitions({ abandoned: ABANDONED, persuaded: PERSUADED }, 'one'));
  driver.record(MIDNIGHT, CART).record(MIDNIGHT, { type: 'MESSAGE_CLICKED' });
  const both = bytesOf(driver, SEQUENCES);
  driver.processor = new CustomerDriver(definitions({ renamed: ABANDONED }, 'two')).processor;
  driver.record(MIDNIGHT + HOUR, {});
  expect(bytesOf(driver, SEQUENCES)).toBeLessThan(both);
  driver.silence(MIDNIGHT + 4 * DAY);
  expect(lines(driver)).toEqual([[72, 'TIME', '+renamed']]);
});

describe('a sequence that cannot be served is refused with its place and the fix', () => {
  const WHERE = 'segments/probe.json: where';
  const refused = (where: Readonly<Record<string, unknown>>) => refusalOf(definitionsWith({ probe: where }));
  const parts = ABANDONED.$sequence;

  test.each<[unknown, string]>([
    [3, `${WHERE}.$sequence: takes an object such as {"first": {…}, "then": {…}, "within": "3d"}`],
    [{ ...parts, then: ORDER }, `${WHERE}.$sequence: needs either "then" or "thenNot"`],
    [
      { ...parts, until: '3d' },
      `${WHERE}.$sequence.until: is unknown; a sequence has first, then, thenNot, within, for`,
    ],
    [{ ...parts, within: 0 }, `${WHERE}.$sequence.within: must be a time such as "30m", "12h" or "3d"`],
    [{ ...parts, within: '0d' }, `${WHERE}.$sequence.within: must be a time such as "30m", "12h" or "3d"`],
    [{ ...parts, within: '10s' }, `${WHERE}.$sequence.within: must be 1m to 365d`],
    [{ ...parts, within: '400d' }, `${WHERE}.$sequence.within: must be 1m to 365d`],
    [{ ...parts, for: '8h' }, `${WHERE}.$sequence.for: must be at least an eighth of "within"`],
    [{ ...parts, for: 'ever' }, `${WHERE}.$sequence.for: must be a time such as "12h" or "30d"`],
    [{ ...parts, first: undefined }, `${WHERE}.$sequence.first: must be an object such as {"type": "ORDER_PLACED"}`],
    [
      { ...parts, first: { $sequence: parts } },
      `${WHERE}.$sequence.first.$sequence: $sequence is of customers, not of one event`,
    ],
    [
      { ...parts, thenNot: { 'order.amountMinor': { $lt: 0 } } },
      `${WHERE}.$sequence.thenNot: can never be true: "order.amountMinor" is a whole number, 0 or more or missing, so nothing is < 0`,
    ],
  ])('%j', (sequence, fault) => {
    expect(refused({ $sequence: sequence })).toEqual([fault]);
  });

  test('inside a path, against itself, and too many', () => {
    expect(refused({ identified: { $sequence: parts } })).toEqual([
      `${WHERE}["identified"].$sequence: $sequence stands beside paths, not inside one`,
    ]);
    const itself = { ...ABANDONED, $nor: [{ $sequence: { ...parts } }] };
    expect(refused(itself)).toEqual([expect.stringContaining('can never be true')]);
    const $or = Array.from({ length: SEQUENCES_MAX + 1 }, (_, index) => ({
      $sequence: { ...parts, within: `${index + 1}h` },
    }));
    expect(refused({ $or: $or.slice(1) })).toEqual([]);
    expect(refused({ $or })).toEqual(['segments/: name 65 sequences for every brand, and 64 are allowed']);
  });
});
