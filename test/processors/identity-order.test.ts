import { describe, expect, test } from 'vitest';
import { Random } from '../../processors/simulation/random.ts';
import type { BrandPartial, IdentityMerged, Interaction } from '../../schemas/types.ts';
import { LinkedWorld, type WorldOptions } from '../harness/linked-world.ts';
import { everyAmount } from '../harness/window-amounts.ts';
import { DAY, definitions } from './customer-fixture.ts';
import {
  asOne,
  asOneUnlessParted,
  customersOf,
  END,
  lifeOf,
  LINKED_RULES,
  peopleOf,
  strongestOf,
  unlinkOrders,
  weakerKeys,
  withoutRepeatedOrders,
} from './linked-life.ts';

const RULES = definitions(LINKED_RULES);

interface Ended {
  readonly world: LinkedWorld;
  /** By key, of everybody who is no redirect: what rules see, and the order statistics. */
  readonly customers: Record<string, unknown>;
}

async function fold(events: readonly Interaction[], options: WorldOptions): Promise<Ended> {
  const world = await LinkedWorld.open(options);
  for (const each of events) world.tell(each, each.occurredAt);
  await world.drain();
  await world.end(END);
  return { world, customers: customersOf(world.states(), world.customer) };
}

/** What the brand's documents of all partitions come to, by dimension and value; sessions aside, as in `withoutOrder`. */
function brandsOf(world: LinkedWorld): Record<string, Record<string, number>> {
  const newest = new Map<string, BrandPartial>();
  for (const { key, value } of world.published('brand-partials.v1')) {
    const partial = value as BrandPartial;
    newest.set(`${key} ${partial.partition}`, partial);
  }
  const sums: Record<string, Record<string, number>> = {};
  for (const { brandId, dimension, value, ...amounts } of newest.values()) {
    const sum = (sums[`${brandId} ${dimension} ${value}`] ??= {});
    for (const [name, amount] of Object.entries(everyAmount(amounts)).filter(([each]) => !/sessions/i.test(each)))
      sum[name] = (sum[name] ?? 0) + amount;
  }
  for (const sum of Object.values(sums)) for (const name in sum) if (sum[name] === 0) delete sum[name];
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => Object.keys(sum).length > 0));
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  const result: T[] = [];
  while (left.length > 0) result.push(...left.splice(random.below(left.length), 1));
  return result;
}

const CALM = { definitions: RULES, partitions: 1, random: () => 0.999 };

describe('any order of the same events, with links anywhere', () => {
  for (let block = 0; block < 4; block++) {
    test(`ends as if all had come under one identifier, seeds ${block * 12}–${block * 12 + 11}`, async () => {
      for (let seed = block * 12; seed < block * 12 + 12; seed++) {
        const random = new Random(seed);
        const people = peopleOf(3);
        // Within a day events are told again, too: so long their ids are remembered.
        const isShort = seed % 4 === 1;
        const life = lifeOf(random, people, 60 + random.below(60), isShort ? 0.8 * DAY : 35 * DAY);
        const events = withoutRepeatedOrders(life);
        const alone = await fold(
          events.map((each) => asOne(people, each)),
          { ...CALM, random: () => random.next() },
        );
        const order = seed % 3 === 0 ? events : shuffled(events, random);
        const faults = seed % 2 === 0 ? 0.03 : 0;
        const told = isShort ? [...order, ...shuffled(order, random).slice(0, 20)] : order;
        const linked = await fold(told, { definitions: RULES, partitions: 3, random: () => random.next(), faults });
        expect(linked.customers, `seed ${seed}`).toEqual(alone.customers);
        expect(Object.keys(linked.customers)).toHaveLength(people.length);
        expect(Object.keys(brandsOf(alone.world)).length).toBeGreaterThan(2);
        expect(brandsOf(linked.world), `brands of seed ${seed}`).toEqual(brandsOf(alone.world));
        // Every other identifier is a redirect, told once.
        const merges = linked.world.published('identity-merges.v1').map(({ key }) => key);
        expect(merges.sort()).toEqual(people.flatMap(weakerKeys).sort());
        expect(linked.world.meter.dead).toEqual([]);
      }
    });
  }
});

describe('an operator who parts everybody again', () => {
  test('leaves each identifier what it would be if none had ever been linked', async () => {
    let splits = 0;
    for (let seed = 100; seed < 140; seed++) {
      const random = new Random(seed);
      const people = peopleOf(2);
      const events = withoutRepeatedOrders(lifeOf(random, people, 40 + random.below(40), 30 * DAY));
      const apart = await fold(
        events.map((event) => ({ ...event, ...strongestOf(event) })),
        { ...CALM, random: () => random.next() },
      );
      const faults = seed % 2 === 0 ? 0.03 : 0;
      const world = await LinkedWorld.open({
        definitions: RULES,
        partitions: 3,
        random: () => random.next(),
        faults,
      });
      for (const each of events) world.tell(each, each.occurredAt);
      // Some while links are still on their way, the others when everybody is linked.
      const orders = people.flatMap(unlinkOrders);
      for (const each of orders.filter(() => random.chance(0.3))) world.command(each);
      await world.drain();
      for (const each of shuffled(orders, random)) world.command(each);
      await world.drain();
      await world.end(END);
      const customers = Object.entries(customersOf(world.states(), world.customer)).filter(
        ([key]) => key in apart.customers,
      );
      expect(Object.fromEntries(customers), `seed ${seed}`).toEqual(apart.customers);
      expect([...world.states().values()].filter((state) => world.customer.links(state).redirect !== null)).toEqual([]);
      splits += world.published('identity-merges.v1').filter(({ value }) => (value as IdentityMerged).split).length;
    }
    expect(splits).toBeGreaterThan(100);
  });

  test('leaves some as one and parts others for good, in the midst of their links, again and again', async () => {
    for (let seed = 1000; seed < 1024; seed++) {
      const random = new Random(seed);
      const people = peopleOf(4);
      const events = withoutRepeatedOrders(lifeOf(random, people, 4 * 80, 35 * DAY));
      const parted = people.filter((_each, index) => index % 2 === 1);
      const orders = parted.flatMap(unlinkOrders);
      const single = await fold(
        events.map((each) => asOneUnlessParted(people, parted, each)),
        { ...CALM, random: () => random.next() },
      );
      const world = await LinkedWorld.open({ definitions: RULES, partitions: 3, random: () => random.next() });
      const quarter = Math.ceil(events.length / 4);
      for (let from = 0; from < events.length; from += quarter) {
        for (const each of events.slice(from, from + quarter)) world.tell(each, each.occurredAt);
        for (const each of orders.filter(() => random.chance(0.2))) world.command(each);
        if (random.chance(0.7)) await world.drain();
      }
      await world.drain();
      for (const each of orders) world.command(each);
      await world.drain();
      await world.end(END);
      const found = Object.entries(customersOf(world.states(), world.customer));
      const known = Object.fromEntries(found.filter(([key]) => key in single.customers));
      expect(known, `seed ${seed}`).toEqual(single.customers);
    }
  });
});
