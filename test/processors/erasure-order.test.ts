import { describe, expect, test } from 'vitest';
import type { BrandPartial, Command, Interaction } from '../../schemas/types.ts';
import { Random } from '../../processors/simulation/random.ts';
import { LinkedWorld } from '../harness/linked-world.ts';
import { everyAmount } from '../harness/window-amounts.ts';
import { DAY, definitions, MIDNIGHT } from './customer-fixture.ts';
import { interaction } from './intake-fixture.ts';

const END = MIDNIGHT + 40 * DAY;
const ERASED_AT = MIDNIGHT + 10 * DAY;
const RULES = definitions({
  'many-views': { 'traits.page_views.7d': { $gte: 3 } },
  buyers: { 'traits.orders.lifetime': { $gte: 1 } },
  quiet: { 'ages.interactions': { $gte: 5 } },
});
const PEOPLE = ['anna', 'ben', 'cleo', 'dora'] as const;
type Person = (typeof PEOPLE)[number];
const ERASED: Person = 'ben';
const hashOf = (person: Person): string => Buffer.from(person).toString('hex').padEnd(64, 'a');
const subjectsOf = (person: Person): string[] => [`u:${person}`, `e:${hashOf(person)}`, `a:${person}`];

/** What some people do under three identifiers each, at times in any order; linked somewhere in between. */
function lives(random: Random): { readonly person: Person; readonly event: Interaction }[] {
  return Array.from({ length: 120 }, (_each, index) => {
    const person = PEOPLE[index % PEOPLE.length] ?? ERASED;
    const which = 1 + random.below(7);
    const isOrder = random.below(5) === 0;
    const event = interaction({
      ...{ brandId: 'acme', eventId: `e-${index}`, occurredAt: MIDNIGHT + random.below(9 * DAY) },
      userId: (which & 1) !== 0 ? person : null,
      emailHash: (which & 2) !== 0 ? hashOf(person) : null,
      anonymousId: (which & 4) !== 0 ? person : null,
      type: isOrder ? 'ORDER_PLACED' : 'PAGE_VIEW',
      order: isOrder ? { orderId: `o-${index}`, amountMinor: 700, currency: 'JPY', guest: false, items: [] } : null,
    });
    return { person, event };
  });
}

const erase = (subject: string, issuedAt: number): Command => ({
  ...{ commandId: `${subject}-${issuedAt}`, brandId: 'acme', kind: 'ERASE', issuedAt, issuedBy: 'test' },
  ...{ subject, target: null, reason: null },
});

/** What each partition last said of the brand, added up; sessions, which move with nobody, left out. */
function brandOf(world: LinkedWorld): Record<string, number> {
  const newest = new Map<string, Readonly<Record<string, number>>>();
  for (const { value } of world.published('brand-partials.v1')) {
    const { dimension, value: name, partition, ...amounts } = value as BrandPartial;
    newest.set(`${dimension} ${name} ${partition}`, everyAmount(amounts));
  }
  const sums: Record<string, number> = {};
  for (const [key, amounts] of newest) {
    for (const [name, amount] of Object.entries(amounts)) {
      if (/sessions|views|visible/i.test(name)) continue;
      const place = `${key.replace(/ \d+$/, '')} ${name}`;
      sums[place] = (sums[place] ?? 0) + amount;
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
}

describe('an erasure amid everything', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'leaves the others and the brand as if the person had never been, seed %i',
    async (seed) => {
      const random = new Random(seed);
      const told = lives(random);
      const chance = () => random.next();
      const options = { definitions: RULES, partitions: 3, random: chance, faults: 0.05 };
      const world = await LinkedWorld.open(options);
      for (const { event } of told) world.tell(event, MIDNIGHT + 9 * DAY);
      await world.drain();
      // Each identifier by an order of its own, one of them twice; then all of it comes again.
      for (const subject of subjectsOf(ERASED)) world.command(erase(subject, ERASED_AT));
      world.command(erase(`u:${ERASED}`, ERASED_AT));
      await world.drain();
      for (const { person, event } of told) {
        if (person === ERASED) world.tell({ ...event, eventId: `again-${event.eventId}` }, ERASED_AT + DAY);
      }
      await world.drain();
      await world.end(END);

      const alone = await LinkedWorld.open({ ...options, faults: 0 });
      for (const { person, event } of told) if (person !== ERASED) alone.tell(event, MIDNIGHT + 9 * DAY);
      await alone.drain();
      await alone.end(END);
      const states = world.states();
      for (const subject of subjectsOf(ERASED)) {
        const state = states.get(`acme|${subject}`);
        expect(state !== undefined && world.customer.isErased(state), subject).toBe(true);
        for (const topic of ['churn-risk.v1', 'customer-traits.v1', 'identity-merges.v1']) {
          const lines = world.published(topic).filter(({ key }) => key === `acme|${subject}`);
          expect(lines.at(-1)?.value ?? null, `${topic} ${subject}`).toBeNull();
        }
        const left = world.published('segment-memberships.v1').filter(({ key }) => key === `acme|${subject}`);
        expect((left.at(-1)?.value as { members: string[] } | undefined)?.members ?? []).toEqual([]);
      }
      expect(brandOf(world)).toEqual(brandOf(alone));
      expect(Object.keys(brandOf(alone)).length).toBeGreaterThan(10);
      for (const [key, state] of alone.states()) {
        const own = states.get(key);
        expect(own && world.customer.profileView(own, END), key).toEqual(alone.customer.profileView(state, END));
      }
    },
    20_000,
  );
});
