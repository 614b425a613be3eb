import { OpenState } from '../../processors/customer/open-state.ts';
import type { CustomerProcessor } from '../../processors/customer/processor.ts';
import type { ProfileView } from '../../processors/customer/profile-view.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import type { Random } from '../../processors/simulation/random.ts';
import type { Command, Interaction, InteractionType } from '../../schemas/types.ts';
import { DAY, MIDNIGHT } from './customer-fixture.ts';
import { interaction } from './intake-fixture.ts';

/** Lives of people who are known by several names, and what must be the same of them however it was told. */

export const END = MIDNIGHT + 40 * DAY;
const BRANDS = ['acme', 'other'];

export const LINKED_RULES = {
  'many-views': { 'traits.page_views.7d': { $gte: 3 } },
  buyers: { 'traits.orders.lifetime': { $gte: 1 } },
  quiet: { 'ages.interactions': { $gte: 5 } },
  gold: { 'attributes.plan': 'gold' },
  readers: { 'ratios.open_rate.30d': { $gt: 0.4 } },
  risky: { 'churn.band': { $in: ['MEDIUM', 'HIGH'] } },
  both: { segments: 'buyers', identified: true },
};

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
export interface Person {
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
export function lifeOf(random: Random, people: readonly Person[], count: number, spanMs: number): Interaction[] {
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

export function peopleOf(count: number): Person[] {
  return Array.from({ length: count }, (_each, index) => ({
    brandId: BRANDS[index % 2] ?? '',
    ids: [
      `user-${index}`,
      (0x1000 + index).toString(16).padStart(64, 'e'),
      `device-${index}`,
      `phone-${index}`,
    ] as const,
  }));
}

/** Each event under the one identifier of its person. */
export function asOne(people: readonly Person[], event: Interaction): Interaction {
  const person = people.find(
    ({ ids }) =>
      (event.userId !== null && ids.includes(event.userId)) ||
      (event.emailHash !== null && ids.includes(event.emailHash)) ||
      (event.anonymousId !== null && ids.includes(event.anonymousId)),
  );
  return { ...event, ...NOBODY, userId: person?.ids[0] ?? null };
}

export function weakerKeys({ brandId, ids: [, email, device, phone] }: Person): string[] {
  return [`e:${email}`, `a:${device}`, `a:${phone}`].map((subject) => `${brandId}|${subject}`);
}

/** By key, of everybody who is no redirect: what rules see at the end, and the order statistics. */
export function customersOf(
  states: ReadonlyMap<string, CustomerState>,
  customer: CustomerProcessor,
): Record<string, unknown> {
  const customers: Record<string, unknown> = {};
  for (const [key, state] of states) {
    if (customer.links(state).redirect !== null) continue;
    customers[key] = { profile: withoutOrder(customer.profileView(state, END)), orders: factsOf(state) };
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
  return { ...without(profile, ['visits', 'stage', 'stageSince', 'lifecycle', 'lifecycleSince']), traits, ages };
}

function factsOf(state: CustomerState): unknown {
  const open = new OpenState();
  open.open(state);
  return open.facts;
}

/** The identifiers under which an interaction counts as long as none are linked. */
export function strongestOf({ userId, emailHash, anonymousId }: Identifiers): Identifiers {
  if (userId !== null) return { ...NOBODY, userId };
  return emailHash !== null ? { ...NOBODY, emailHash } : { ...NOBODY, anonymousId };
}

/** An operator's orders that part everything that may be linked of one person. */
export function unlinkOrders({ brandId, ids: [user, email, device, phone] }: Person): Command[] {
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
export function withoutRepeatedOrders(events: readonly Interaction[]): Interaction[] {
  const placed = new Set<string>();
  return events.filter(({ type, order }) => {
    if (type !== 'ORDER_PLACED' || order === null) return true;
    const isNew = !placed.has(order.orderId);
    placed.add(order.orderId);
    return isNew;
  });
}

/** Each event under the one identifier of its person; of those who are parted, under the strongest that it names. */
export function asOneUnlessParted(
  people: readonly Person[],
  parted: readonly Person[],
  event: Interaction,
): Interaction {
  const names = [event.userId, event.emailHash, event.anonymousId].filter((name) => name !== null);
  const isParted = parted.some(({ ids }) => names.some((name) => ids.includes(name)));
  return isParted ? { ...event, ...strongestOf(event) } : asOne(people, event);
}
