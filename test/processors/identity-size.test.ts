import { beforeEach, describe, expect, test } from 'vitest';
import { ByteWriter } from '../../processors/core/packing.ts';
import { EXPOSURES } from '../../processors/customer/exposures.ts';
import { HELD_MAX } from '../../processors/customer/identity.ts';
import { TRANSFER_BYTES_MAX } from '../../processors/customer/identity-records.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { IdentityStep } from '../../schemas/types.ts';
import { compileWrite } from '../../schemas/writing.ts';
import { typeOf } from '../harness/avro-values.ts';
import { DAY, definitions, HOUR, MIDNIGHT, MINUTE } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 12 * HOUR;
const [USER, EMAIL, DEVICE] = ['u:1', `e:${'ab'.repeat(32)}`, 'a:device'] as const;

const processor = createCustomer(
  definitions({
    viewers: { 'traits.page_views.lifetime': { $gte: 1 } },
    'many-views': { 'traits.page_views.7d': { $gte: 3 } },
    quiet: { 'ages.interactions': { $gte: 5 } },
  }),
);
let customers: Customers;
beforeEach(() => {
  customers = new Customers(processor);
});

const views = (subject: string, at = T + DAY) => customers.view(subject, at).traits.page_views.lifetime;

describe('a state too large to hand over', () => {
  /** What no event can make: the largest that can be is far below. */
  const swollen = (bytes: number): Buffer => {
    const parts = new OpenParts();
    parts.open(customers.state(DEVICE).parts);
    const name = 'x'.repeat(1_000);
    const list = Array.from({ length: Math.ceil(bytes / 1_000) }, (_each, index) => {
      return { experimentId: name + index, at: T, variant: 'A', crossover: false };
    });
    parts.put(EXPOSURES, { list, matches: [], forgottenAt: -1 });
    return parts.close();
  };

  test('stays where it is: the link is refused, and nothing was told or taken', () => {
    customers.event(DEVICE, T).event(USER, T).foldAll();
    customers.state(DEVICE).parts = swollen(TRANSFER_BYTES_MAX);
    const before = customers.published.length;
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    expect(customers.outcomes.at(-1)).toBe('identity_conflict');
    expect(customers.published).toHaveLength(before);
    expect(customers.links(DEVICE).redirect).toBeNull();
    expect([views(DEVICE), views(USER)]).toEqual([1, 1]);
    expect(customers.gauges).toMatchObject({ viewers: 2 });
    // It goes on by itself.
    customers.event(DEVICE, T + 2 * HOUR).foldAll();
    expect([views(DEVICE), views(USER)]).toEqual([2, 1]);
  });

  test('is handed over just below that, and fits into a record of 1 MiB', () => {
    customers.event(DEVICE, T).foldAll();
    customers.state(DEVICE).parts = swollen(TRANSFER_BYTES_MAX - 16_000);
    customers.link(DEVICE, USER, T + HOUR).foldAll();
    expect(customers.links(DEVICE).redirect).toBe(USER);
    expect(views(USER)).toBe(1);
    const identity: IdentityStep = { subject: DEVICE, via: EMAIL, state: Buffer.alloc(TRANSFER_BYTES_MAX), at: null };
    const subject = `u:${'x'.repeat(256)}`;
    const value = { brandId: 'b'.repeat(64), subject, kind: 'TRANSFER', interaction: null, identity };
    const writer = new ByteWriter();
    compileWrite(typeOf('CustomerEvent'), null)?.(value, writer);
    // With its key, its headers and what the log puts around them.
    expect(writer.length + 2_048).toBeLessThan(1_048_576);
  });
});

describe('more identifiers than are kept apart', () => {
  test('count all the same; only those kept can be taken out again', () => {
    customers.event(USER, T).foldAll();
    for (let device = 0; device < 12; device++) {
      customers
        .event(`a:${device}`, T)
        .link(`a:${device}`, USER, T + HOUR)
        .foldAll();
    }
    expect(views(USER)).toBe(13);
    expect(customers.links(USER).held).toHaveLength(HELD_MAX);
    customers.unlink('a:11', USER, T + DAY).foldAll();
    expect([views(USER), views('a:11')]).toEqual([12, 1]);
    customers.unlink('a:0', USER, T + DAY).foldAll();
    expect([views(USER), views('a:0')]).toEqual([12, 0]);
    customers.event('a:0', T + DAY).foldAll();
    expect([views(USER), views('a:0')]).toEqual([12, 1]);
    for (let device = 4; device < 11; device++) customers.unlink(`a:${device}`, USER, T + DAY).foldAll();
    expect(views(USER)).toBe(5);
    expect(customers.links(USER).held).toEqual([]);
  });

  test('keep nothing of the deadlines they had apart: what is merged later lies behind them', () => {
    // Many views of a week, so that a deadline is watched when the user's own is put aside.
    for (let index = 0; index < 3; index++) customers.event(USER, T + index * MINUTE);
    customers.link('a:0', USER, T + HOUR).event('a:0', T + 2 * HOUR);
    // It passes; then so many other devices that the first becomes the user's own.
    customers.event('a:0', T + 9 * DAY).foldAll();
    for (let device = 1; device < HELD_MAX + 1; device++) {
      const at = T + (10 + device) * DAY;
      customers
        .event(`a:${device}`, at)
        .link(`a:${device}`, USER, at + HOUR)
        .foldAll();
    }
    expect(views(USER, T + 40 * DAY)).toBe(HELD_MAX + 5);
    for (let device = 1; device < HELD_MAX + 1; device++) {
      customers.unlink(`a:${device}`, USER, T + 30 * DAY).foldAll();
    }
    // Its own three, and two of the one that can be taken out no more.
    expect(views(USER, T + 40 * DAY)).toBe(5);
    expect(customers.silence(T + 40 * DAY).view(USER, T + 40 * DAY).ages.page_views).toBe(31);
  });
});
