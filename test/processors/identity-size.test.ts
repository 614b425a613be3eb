import { beforeEach, describe, expect, test } from 'vitest';
import { ByteWriter } from '../../processors/core/packing.ts';
import { EXPOSURES } from '../../processors/customer/exposures.ts';
import { TRANSFER_BYTES_MAX } from '../../processors/customer/identity-steps.ts';
import { OpenParts } from '../../processors/customer/parts.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import type { IdentityStep } from '../../schemas/types.ts';
import { compileWrite } from '../../schemas/writing.ts';
import { typeOf } from '../harness/avro-values.ts';
import { DAY, definitions, HOUR, MIDNIGHT } from './customer-fixture.ts';
import { Customers } from './identity-driver.ts';

const T = MIDNIGHT + 12 * HOUR;
const [USER, EMAIL, DEVICE] = ['u:1', `e:${'ab'.repeat(32)}`, 'a:device'] as const;

const processor = createCustomer(definitions({ viewers: { 'traits.page_views.lifetime': { $gte: 1 } } }));
let customers: Customers;
beforeEach(() => {
  customers = new Customers(processor);
});

const views = (subject: string) => customers.view(subject, T + DAY).traits.page_views.lifetime;

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
    const identity: IdentityStep = { subject: DEVICE, via: EMAIL, state: Buffer.alloc(TRANSFER_BYTES_MAX) };
    const subject = `u:${'x'.repeat(256)}`;
    const value = { brandId: 'b'.repeat(64), subject, kind: 'TRANSFER', interaction: null, identity };
    const writer = new ByteWriter();
    compileWrite(typeOf('CustomerEvent'), null)?.(value, writer);
    // With its key, its headers and what the log puts around them.
    expect(writer.length + 2_048).toBeLessThan(1_048_576);
  });
});
