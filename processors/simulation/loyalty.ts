import type { Instant } from '../core/processor.ts';
import type { InteractionType } from '../../schemas/types.ts';
import type { Customer } from './population.ts';
import { atAGoodTime, DAY_MS, WEEK_MS } from './rhythm.ts';
import type { Act, Stage } from './stage.ts';

const YEN_PER_POINT = 100;
const POINTS_WORTH_SPENDING = 120;
const BOX_PERIOD_DAYS = 30;

const SOCIAL_ACTIONS: readonly (readonly [InteractionType, number])[] = [
  ['SOCIAL_LIKE', 52],
  ['SOCIAL_COMMENT', 10],
  ['SOCIAL_SHARE', 9],
  ['SOCIAL_REPLY', 8],
  ['SOCIAL_FOLLOW', 7],
  ['SOCIAL_TAG', 5],
  ['SOCIAL_QUESTION', 4],
  ['SOCIAL_LIVE', 3],
  ['REFERRAL_SENT', 6],
  ['REFERRAL_CONVERTED', 2],
];

/** Members earn points with every order; others may become members with it. */
export function collectPoints(stage: Stage, customer: Customer, at: Instant, amountMinor: number): void {
  if (!customer.known) return;
  if (!customer.member) {
    if (!customer.random.chance(0.35)) return;
    customer.member = true;
    stage.tell(customer, at, 'LOYALTY', 'LOYALTY_ENROLLED', { touchpoint: 'checkout' });
  }
  const points = Math.floor(amountMinor / YEN_PER_POINT);
  customer.points += points;
  stage.tell(customer, at, 'LOYALTY', 'POINTS_EARNED', { attributes: { points: String(points) } });
}

/** Pays a part of an order with points, once enough have come together. */
export function spendPoints(stage: Stage, customer: Customer, at: Instant): void {
  if (customer.points < POINTS_WORTH_SPENDING || !customer.random.chance(0.35)) return;
  const points = String(customer.points);
  customer.points = 0;
  stage.tell(customer, at, 'LOYALTY', 'POINTS_REDEEMED', { attributes: { points } });
}

/** A box of tea every month. */
export function subscribeToBox(stage: Stage, customer: Customer, at: Instant): void {
  stage.tell(customer, at, customer.device, 'SUBSCRIPTION_STARTED', { touchpoint: 'tea-box' });
  stage.plan(at + BOX_PERIOD_DAYS * DAY_MS, customer, renewBox);
}

const renewBox: Act = (stage, customer, at) => {
  if (at > customer.goneAt || customer.random.chance(0.12)) {
    stage.tell(customer, at, customer.device, 'SUBSCRIPTION_CANCELLED', { touchpoint: 'tea-box' });
    return;
  }
  stage.tell(customer, at, customer.device, 'SUBSCRIPTION_RENEWED', { touchpoint: 'tea-box' });
  stage.plan(at + BOX_PERIOD_DAYS * DAY_MS, customer, renewBox);
};

/** Some follow the shop where people talk. */
const talkAboutIt: Act = (stage, customer, at) => {
  const { random } = customer;
  const type = random.weighted(SOCIAL_ACTIONS);
  const touchpoint = type.startsWith('REFERRAL') ? 'invite-a-friend' : 'social/leafgram';
  stage.tell(customer, at, 'SOCIAL', type, { touchpoint });
  planTalk(stage, customer, at);
};

export function planTalk(stage: Stage, customer: Customer, after: Instant): void {
  if (customer.socialPerWeek === 0) return;
  const next = after + customer.random.exponential(WEEK_MS / customer.socialPerWeek);
  if (next < customer.goneAt) stage.plan(atAGoodTime(next, after, customer.random), customer, talkAboutIt);
}
