import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fault } from '../../processors/core/errors.ts';
import { compileFilter, parseEventFilter, type EventFilter } from '../../processors/customer/event-filter.ts';
import { compileRule } from '../../processors/customer/rule-program.ts';
import type { InteractionType } from '../../schemas/types.ts';

const TYPES: readonly InteractionType[] = ['PAGE_VIEW', 'CART_ADD', 'ORDER_PLACED'];
const PATHS: readonly string[] = ['type', 'channel', 'product.priceMinor'];

const type = fc.constantFrom(...TYPES);
const leaf = fc.oneof(
  fc.record({ type }),
  fc.record({ type: fc.record({ $ne: type }) }),
  fc.record({ type: fc.record({ $in: fc.uniqueArray(type, { minLength: 1 }) }) }),
  fc.record({ channel: fc.constantFrom('WEB', 'APP') }),
  fc.record({ 'product.priceMinor': fc.record({ $gte: fc.integer({ min: 1, max: 3 }) }) }),
);
const branch = (below: fc.Arbitrary<object>) =>
  fc.tuple(fc.constantFrom('$and', '$or', '$nor'), fc.array(below, { minLength: 1, maxLength: 3 }));
const joined = fc.oneof(leaf, branch(fc.oneof(leaf, branch(leaf).map(asObject))).map(asObject));

test('decided by the type first, a filter passes the same events', () => {
  fc.assert(
    fc.property(joined, type, fc.constantFrom('WEB', 'APP'), fc.nat(4), (where, ofType, channel, priceMinor) => {
      const filter = soundFilter(where);
      fc.pre(filter !== null);
      const values = [ofType, channel, priceMinor === 0 ? undefined : priceMinor];
      const whole = compileRule(filter.rule, {
        slotOf: ({ path }) => PATHS.indexOf(path),
        memberOf: () => -1,
        counted: new Map(),
      });
      const passes = compileFilter(filter, ofType, (path) => PATHS.indexOf(path));
      expect(passes?.(values) ?? false).toBe(whole(values, new Uint8Array()));
    }),
  );
});

test('of an event whose type is known only what is left is read', () => {
  const where = { $or: [{ type: 'PAGE_VIEW' }, { type: 'CART_ADD', 'product.priceMinor': { $gte: 2 } }] };
  const readOf = (ofType: InteractionType): string[] | null => {
    const read: string[] = [];
    const filter = soundFilter(where);
    const passes = filter === null ? null : compileFilter(filter, ofType, (path) => read.push(path) - 1);
    return passes === null ? null : read;
  };
  expect(readOf('PAGE_VIEW')).toEqual([]);
  expect(readOf('CART_ADD')).toEqual(['product.priceMinor']);
  expect(readOf('ORDER_PLACED')).toBeNull();
});

function asObject([operator, children]: [string, object[]]): object {
  return { [operator]: children };
}

/** Null for one that lets no event through. */
function soundFilter(where: object): EventFilter | null {
  const faults: Fault[] = [];
  const filter = parseEventFilter(where, 'where', faults);
  return faults.length === 0 ? filter : null;
}
