import type { Channel } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import { CATEGORIES } from './products.ts';
import { drawPurchaseHabit } from './purchase-process.ts';
import type { PurchaseHabit } from './purchase-process.ts';
import { Random } from './random.ts';
import { atAGoodTime, DAY_MS } from './rhythm.ts';

/** `buyer`: has bought or will; `browser`: looks and never buys; `reader`: known by the newsletter's address alone. */
export type Persona = 'buyer' | 'browser' | 'reader';

/** One simulated person: what stays, and what changes as time goes on. */
export interface Customer {
  readonly random: Random;
  readonly index: number;
  readonly persona: Persona;
  readonly habit: PurchaseHabit;
  readonly firstVisitAt: Instant;
  readonly visitsPerWeek: number;
  /** Pages of a visit, on average. */
  readonly pagesPerVisit: number;
  readonly device: 'WEB' | 'APP';
  readonly userId: string | null;
  readonly emailHash: string | null;
  readonly anonymousId: string;
  readonly messageChannel: Extract<Channel, 'EMAIL' | 'LINE' | 'APP_PUSH'>;
  /** The probability to open a message, and to click on an opened one. */
  readonly opens: number;
  readonly clicks: number;
  /** The mail program fetches every image by itself, so that every message looks opened. */
  readonly prefetches: boolean;
  readonly favourite: number;
  /** 0 to 1: how pleased with the shop in general. */
  readonly temper: number;
  readonly socialPerWeek: number;
  readonly contactsPerWeek: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Opens an account with the first visit, not later. */
  readonly knownAtOnce: boolean;

  /** Signed in: from here on events carry the user id. */
  known: boolean;
  subscribed: boolean;
  member: boolean;
  exposed: boolean;
  orders: number;
  points: number;
  /** After this the customer does nothing any more. */
  goneAt: Instant;
  /** Until then a device without a connection holds back what happens. */
  offlineUntil: Instant;
  events: number;
}

const PERSONAS: readonly (readonly [Persona, number])[] = [
  ['buyer', 74],
  ['browser', 15],
  ['reader', 11],
];
const PREFECTURES = [
  'Tokyo',
  'Kanagawa',
  'Osaka',
  'Aichi',
  'Fukuoka',
  'Hokkaido',
  'Kyoto',
  'Miyagi',
  'Hyogo',
  'Okinawa',
];
const AGE_BANDS = ['18-24', '25-34', '35-44', '45-54', '55-64', '65+'];
const PLANS: readonly (readonly [string, number])[] = [
  ['free', 70],
  ['plus', 24],
  ['family', 6],
];
/** Over so many days the customers arrive, half of them within the first third. */
const ARRIVAL_DAYS = 390;

function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(random.next() * 0x10000)
      .toString(16)
      .padStart(4, '0');
  return text.slice(0, digits);
}

function device(random: Random): string {
  const id = hex(random, 32);
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20)}`;
}

/** The customer with this number; the same for every size of the population. */
export function createCustomer(seed: number, index: number, from: Instant): Customer {
  const random = new Random(seed, index);
  const persona = random.weighted(PERSONAS);
  const arrival = from + ARRIVAL_DAYS * DAY_MS * random.next() ** 1.7;
  const habit = drawPurchaseHabit(random);
  const reader = persona === 'reader';
  const knownAtOnce = persona === 'buyer' ? random.chance(0.65) : persona === 'browser' && random.chance(0.35);
  return {
    random,
    index,
    persona,
    habit,
    firstVisitAt: atAGoodTime(arrival, from, random),
    // Who buys often also looks often.
    visitsPerWeek: reader ? 0.15 : 0.22 + 0.4 * random.gamma(1.2) + 1.1 * Math.min(habit.purchasesPerWeek, 1.5),
    pagesPerVisit: random.between(1.2, 4.4),
    device: random.chance(0.36) ? 'APP' : 'WEB',
    userId: persona === 'buyer' || knownAtOnce ? String(100_000 + index) : null,
    emailHash: reader ? hex(random, 64) : null,
    anonymousId: device(random),
    messageChannel: random.weighted([
      ['EMAIL', reader ? 1 : 0.72],
      ['LINE', reader ? 0 : 0.18],
      ['APP_PUSH', reader ? 0 : 0.1],
    ]),
    opens: Math.min(0.95, random.beta(1.2, 2.6) + (reader ? 0.3 : 0)),
    clicks: random.beta(1.2, 6),
    prefetches: random.chance(0.22),
    favourite: random.below(CATEGORIES.length),
    temper: random.beta(4, 1.6),
    socialPerWeek: random.chance(0.12) ? random.exponential(0.35) : 0,
    contactsPerWeek: random.chance(0.09) ? random.between(0.08, 0.35) : 0.004,
    attributes: {
      plan: random.weighted(PLANS),
      prefecture: random.pick(PREFECTURES),
      age_band: random.pick(AGE_BANDS),
    },
    knownAtOnce,
    known: false,
    subscribed: reader || random.chance(0.72),
    member: false,
    exposed: false,
    orders: 0,
    points: 0,
    goneAt: persona === 'browser' ? arrival + random.exponential(70 * DAY_MS) : Number.POSITIVE_INFINITY,
    offlineUntil: 0,
    events: 0,
  };
}
