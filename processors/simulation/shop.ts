import type { Channel, Interaction, InteractionType } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import { browse, visitAgain } from './browse.ts';
import { answerRelationshipSurvey, planContact } from './feedback.ts';
import { planTalk } from './loyalty.ts';
import { nextNewsletter, readNewsletter } from './message.ts';
import { createCustomer } from './population.ts';
import type { Customer } from './population.ts';
import { buy, buyAndComeAgain } from './purchase.ts';
import { Random } from './random.ts';
import { atAGoodTime, DAY_MS, HOUR_MS, MINUTE_MS } from './rhythm.ts';
import { spoil } from './spoil.ts';
import { createInteraction, nextEventId, recordKey } from './stage.ts';
import type { Act, Stage } from './stage.ts';
import { TimeHeap } from './time-heap.ts';

/** A record of the simulated log; `timestamp` is the record's own time, when it reached the log. */
export type ShopRecord =
  | { readonly kind: 'interaction'; readonly timestamp: Instant; readonly key: string; readonly value: Interaction }
  | { readonly kind: 'raw'; readonly timestamp: Instant; readonly key: string; readonly bytes: Buffer | null };

export interface ShopOptions {
  readonly seed: number;
  /** How many people ever come to the shop. */
  readonly customers: number;
  readonly from: Instant;
  /** Inclusive; may be infinite. */
  readonly to: Instant;
  /** Additional visits from an instant on, so that something is to be seen when a day takes a day. */
  readonly rush?: { readonly from: Instant; readonly visitsPerMinute: number };
}

const LATE = 0.015;
const LONGEST_DELAY_MS = 5 * DAY_MS;
const TWICE = 0.006;
const RUBBISH = 0.003;
/** Streams of random numbers that belong to no customer. */
const RUSH_STREAM = 0x7fff_fff0;

/**
 * The records of a simulated year, or of any other time, in the order of their timestamps: a function of the options alone.
 * A later `to` only adds records at the end. Lazy: memory is bounded by the number of customers and what is under way.
 */
export function* simulateShop(options: ShopOptions): Generator<ShopRecord, void, void> {
  const { seed, customers, from, to } = options;
  const agenda = new TimeHeap<{ customer: Customer; act: Act }>();
  const outbox = new TimeHeap<ShopRecord>();
  const stage: Stage = {
    tell: (customer, at, channel, type, details) => {
      tell(outbox, customer, at, channel, type, details);
    },
    plan: (at, customer, act) => {
      if (at <= to) agenda.push(Math.floor(at), { customer, act });
    },
  };
  const people = Array.from({ length: customers }, (_, index) => createCustomer(seed, index, from));
  for (const customer of people) stage.plan(customer.firstVisitAt, customer, arrive);
  planRush(stage, people, options);
  while (agenda.size > 0 || outbox.size > 0) {
    // Nothing that is still to happen can reach the log before the time of the next act.
    if (outbox.size > 0 && outbox.firstAt <= agenda.firstAt) {
      const next = outbox.pop();
      if (next === undefined || next.at > to) return;
      yield next.item;
      continue;
    }
    const next = agenda.pop();
    if (next === undefined) return;
    next.item.act(stage, next.item.customer, next.at);
  }
}

/** The first visit, and the beginning of everything the customer does from time to time. */
const arrive: Act = (stage, customer, at) => {
  const { random, persona } = customer;
  visitAgain(stage, customer, at);
  planTalk(stage, customer, at);
  planContact(stage, customer, at);
  if (customer.subscribed) stage.plan(nextNewsletter(customer, at), customer, readNewsletter);
  if (persona !== 'buyer') return;
  const firstPurchase = at + random.exponential(9 * DAY_MS);
  stage.plan(atAGoodTime(firstPurchase, at + MINUTE_MS, random), customer, buyAndComeAgain);
  stage.plan(atAGoodTime(at + random.between(40, 160) * DAY_MS, at, random), customer, answerRelationshipSurvey);
};

/** Puts an event into the outbox: at once or late, once or twice, and now and then with rubbish beside it. */
function tell(
  outbox: TimeHeap<ShopRecord>,
  customer: Customer,
  at: Instant,
  channel: Channel,
  type: InteractionType,
  details: Partial<Interaction> | undefined,
): void {
  const { random } = customer;
  const value = createInteraction(customer, at, channel, type, details);
  let arrivesAt = Math.ceil(at) + 20 + random.below(1200);
  if (channel === 'APP') arrivesAt = Math.max(arrivesAt, customer.offlineUntil);
  // From a minute to days, every order of magnitude as likely as the next.
  if (random.chance(LATE)) arrivesAt += MINUTE_MS * (LONGEST_DELAY_MS / MINUTE_MS) ** random.next();
  const timestamp = Math.floor(arrivesAt);
  const key = recordKey(value);
  outbox.push(timestamp, { kind: 'interaction', timestamp, key, value });
  if (random.chance(TWICE)) {
    const again = timestamp + Math.floor(1000 * (HOUR_MS / 1000) ** random.next());
    outbox.push(again, { kind: 'interaction', timestamp: again, key, value });
  }
  if (random.chance(RUBBISH)) {
    const spoilt = spoil({ ...value, eventId: nextEventId(customer) }, random);
    const record =
      'bytes' in spoilt ? { kind: 'raw' as const, ...spoilt } : { kind: 'interaction' as const, ...spoilt };
    outbox.push(timestamp, { ...record, timestamp, key });
  }
}

/** People who come by of their own accord: mostly to look, rarely to buy. Every step plans the next. */
function planRush(stage: Stage, people: readonly Customer[], { seed, rush }: ShopOptions): void {
  const host = people[0];
  if (rush === undefined || host === undefined) return;
  const random = new Random(seed, RUSH_STREAM);
  const meanMs = MINUTE_MS / rush.visitsPerMinute;
  const comeBy: Act = (_, __, at) => {
    const customer = random.pick(people);
    if (customer.firstVisitAt < at) {
      const buys = customer.orders > 0 && customer.goneAt > at && random.chance(0.06);
      (buys ? buy : browse)(stage, customer, at);
    }
    stage.plan(at + 1 + random.exponential(meanMs), host, comeBy);
  };
  stage.plan(rush.from, host, comeBy);
}
