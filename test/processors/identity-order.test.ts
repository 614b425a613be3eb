import { describe, expect, test } from 'vitest';
import { OpenState } from '../../processors/customer/open-state.ts';
import type { ProfileView } from '../../processors/customer/profile-view.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import { Random } from '../../processors/simulation/random.ts';
import type { BrandPartial, Command, IdentityMerged, Interaction, InteractionType } from '../../schemas/types.ts';
import { LinkedWorld, type WorldOptions } from '../harness/linked-world.ts';
import { DAY, definitions, MIDNIGHT } from './customer-fixture.ts';
import { interaction } from './intake-fixture.ts';

const END = MIDNIGHT + 40 * DAY;
const BRANDS = ['acme', 'other'];

const RULES = definitions({
  'many-views': { 'traits.page_views.7d': { $gte: 3 } },
  buyers: { 'traits.orders.lifetime': { $gte: 1 } },
  quiet: { 'ages.interactions': { $gte: 5 } },
  gold: { 'attributes.plan': 'gold' },
  readers: { 'ratios.open_rate.30d': { $gt: 0.4 } },
  risky: { 'churn.band': { $in: ['MEDIUM', 'HIGH'] } },
  both: { segments: 'buyers', identified: true },
});

const TYPES: readonly (readonly [InteractionType, number])[] = [
  ['PAGE_VIEW', 30],
  ['PRODUCT_VIEW', 10],
  ['CART_ADD', 6],
  ['ORDER_PLACED', 10],
  ['ORDER_CANCELLED', 4],
  ['ORDER_REFUNDED', 4],
  ['MESSAGE_DELIVERED', 8],
  ['MESSAGE_OPENED', 6],
  ['IDENTIFIED', 6],
  ['POINTS_EARNED', 3],
];

/** The identifiers of one person of a brand. */
interface Person {
  readonly brandId: string;
  readonly ids: readonly [string, string, string, string];
}

type Identifiers = Pick<Interaction, 'userId' | 'emailHash' | 'anonymousId'>;

const NOBODY: Identifiers = { userId: null, emailHash: null, anonymousId: null };

function identifiersOf({ ids: [user, email, device, phone] }: Person): readonly (readonly [Identifiers, number])[] {
  return [
    [{ ...NOBODY, userId: user }, 6],
    [{ ...NOBODY, emailHash: email }, 4],
    [{ ...NOBODY, anonymousId: device }, 8],
    [{ ...NOBODY, anonymousId: phone }, 4],
    [{ ...NOBODY, userId: user, emailHash: email }, 1],
    [{ ...NOBODY, emailHash: email, anonymousId: device }, 1],
    [{ ...NOBODY, userId: user, anonymousId: phone }, 1],
    [{ userId: user, emailHash: email, anonymousId: device }, 1],
  ];
}

/** What some people do under several names, in the order in which it happened; everybody is linked in the end. */
function lifeOf(random: Random, people: readonly Person[], count: number, spanMs: number): Interaction[] {
  const events: Interaction[] = [];
  const anyTime = (): number => MIDNIGHT + Math.floor(random.next() * spanMs);
  for (let index = 0; index < count; index++) {
    const person = people[index % people.length] ?? people[0];
    if (person === undefined) break;
    const type = random.weighted(TYPES);
    const changes = {
      ...random.weighted(identifiersOf(person)),
      ...details(random, type, `${person.ids[0]}-${random.below(5)}`),
    };
    const eventId = `e-${index}`;
    events.push(interaction({ eventId, brandId: person.brandId, occurredAt: anyTime(), type, ...changes }));
  }
  for (const [index, { brandId, ids }] of people.entries()) {
    const [userId, emailHash, device, phone] = ids;
    const both = [
      { userId, emailHash },
      { userId, anonymousId: phone },
      { ...(index % 2 === 0 ? { userId } : { emailHash }), anonymousId: device },
    ];
    for (const [which, ids] of both.entries()) {
      const eventId = `link-${index}-${which}`;
      events.push(interaction({ ...NOBODY, eventId, brandId, occurredAt: anyTime(), ...ids }));
    }
  }
  return events.sort((a, b) => a.occurredAt - b.occurredAt);
}

function details(random: Random, type: InteractionType, orderId: string): Partial<Interaction> {
  if (type.startsWith('ORDER_')) {
    // The same order has the same amount, whoever tells of it.
    const amountMinor = 1000 * (1 + Number(orderId.at(-1)));
    return { order: { orderId, amountMinor, currency: 'JPY', guest: false, items: [] } };
  }
  if (type === 'IDENTIFIED')
    return { attributes: { plan: random.pick(['gold', 'plain']), [`a${random.below(4)}`]: 'x' } };
  return type === 'POINTS_EARNED' ? { attributes: { points: String(random.below(90)) } } : {};
}

function peopleOf(count: number): Person[] {
  return Array.from({ length: count }, (_each, index) => ({
    brandId: BRANDS[index % 2] ?? '',
    ids: [`user-${index}`, index.toString(16).padStart(64, 'e'), `device-${index}`, `phone-${index}`] as const,
  }));
}

/** Each event under the one identifier of its person. */
function asOne(people: readonly Person[], event: Interaction): Interaction {
  const person = people.find(
    ({ ids }) =>
      (event.userId !== null && ids.includes(event.userId)) ||
      (event.emailHash !== null && ids.includes(event.emailHash)) ||
      (event.anonymousId !== null && ids.includes(event.anonymousId)),
  );
  return { ...event, ...NOBODY, userId: person?.ids[0] ?? null };
}

function weakerKeys({ brandId, ids: [, email, device, phone] }: Person): string[] {
  return [`e:${email}`, `a:${device}`, `a:${phone}`].map((subject) => `${brandId}|${subject}`);
}

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
  return { world, customers: customersOf(world) };
}

function customersOf(world: LinkedWorld): Record<string, unknown> {
  const customers: Record<string, unknown> = {};
  for (const [key, state] of world.states()) {
    if (world.customer.links(state).redirect !== null) continue;
    customers[key] = { profile: withoutOrder(world.customer.profileView(state, END)), orders: factsOf(state) };
  }
  return customers;
}

/**
 * Leaves out what depends on the order of arrival for one identifier, too: sessions take in what is less than a day late, and a
 * stage is held for a time from when it was reached.
 */
function withoutOrder(profile: ProfileView): unknown {
  const without = (values: object, names: readonly string[]): object =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
  const [traits, ages] = [without(profile.traits, ['sessions']), without(profile.ages, ['sessions'])];
  return { ...without(profile, ['visits', 'stage', 'lifecycle']), traits, ages };
}

/** What the brand's documents of all partitions come to, by dimension and value; sessions aside, as in `withoutOrder`. */
function brandsOf(world: LinkedWorld): Record<string, Record<string, number>> {
  const newest = new Map<string, BrandPartial>();
  for (const { key, value } of world.published('brand-partials.v1')) {
    const partial = value as BrandPartial;
    newest.set(`${key} ${partial.partition}`, partial);
  }
  const sums: Record<string, Record<string, number>> = {};
  for (const { brandId, dimension, value, amounts } of newest.values()) {
    const sum = (sums[`${brandId} ${dimension} ${value}`] ??= {});
    for (const [name, amount] of Object.entries(amounts).filter(([each]) => !/sessions/i.test(each)))
      sum[name] = (sum[name] ?? 0) + amount;
  }
  for (const sum of Object.values(sums)) for (const name in sum) if (sum[name] === 0) delete sum[name];
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => Object.keys(sum).length > 0));
}

function factsOf(state: CustomerState): unknown {
  const open = new OpenState();
  open.open(state);
  return open.facts;
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
      const customers = Object.entries(customersOf(world)).filter(([key]) => key in apart.customers);
      expect(Object.fromEntries(customers), `seed ${seed}`).toEqual(apart.customers);
      expect([...world.states().values()].filter((state) => world.customer.links(state).redirect !== null)).toEqual([]);
      splits += world.published('identity-merges.v1').filter(({ value }) => (value as IdentityMerged).split).length;
    }
    expect(splits).toBeGreaterThan(100);
  });
});

function strongestOf({ userId, emailHash, anonymousId }: Identifiers): Identifiers {
  if (userId !== null) return { ...NOBODY, userId };
  return emailHash !== null ? { ...NOBODY, emailHash } : { ...NOBODY, anonymousId };
}

function unlinkOrders({ brandId, ids: [user, email, device, phone] }: Person): Command[] {
  const pairs = [
    [`u:${user}`, `e:${email}`],
    ...[device, phone].flatMap((each) => [
      [`u:${user}`, `a:${each}`],
      [`e:${email}`, `a:${each}`],
    ]),
  ];
  return pairs.map(([subject = null, target = null], index) => ({
    commandId: `unlink-${user}-${index}`,
    brandId,
    kind: 'UNLINK',
    issuedAt: MIDNIGHT + 30 * DAY + index,
    issuedBy: 'test',
    subject,
    target,
    reason: null,
  }));
}

/** An order that is told twice is told at two times, of which the first to arrive counts: not the same in every order. */
function withoutRepeatedOrders(events: readonly Interaction[]): Interaction[] {
  const placed = new Set<string>();
  return events.filter(({ type, order }) => {
    if (type !== 'ORDER_PLACED' || order === null) return true;
    const isNew = !placed.has(order.orderId);
    placed.add(order.orderId);
    return isNew;
  });
}
