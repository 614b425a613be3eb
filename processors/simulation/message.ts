import type { Interaction } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import { browse } from './browse.ts';
import type { Customer } from './population.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, tokyoMidnight, tokyoWeekday, WEEK_MS } from './rhythm.ts';
import type { Act, Stage } from './stage.ts';

const THURSDAY = 4;
/** The newsletter leaves on Thursdays at ten, to everybody within half an hour. */
const NEWSLETTER_HOUR = 10;
const NEWSLETTER_SPREAD_MS = 30 * MINUTE_MS;

/** Sends one message and lets the customer deal with it. */
export function sendMessage(stage: Stage, customer: Customer, at: Instant, campaignId: string): void {
  const { random, messageChannel: channel } = customer;
  const messageId = `m-${customer.index.toString(36)}-${Math.floor(at / 1000).toString(36)}`;
  // Each event gets an object of its own, since what is told belongs to the log from then on.
  const message = (): Partial<Interaction> => ({ campaignId, messageId });
  const tell = (when: Instant, type: Interaction['type']) => {
    stage.tell(customer, when, channel, type, message());
  };
  tell(at, 'MESSAGE_SENT');
  const arrivedAt = at + random.between(1, 40) * 1000;
  if (random.chance(0.012)) {
    tell(arrivedAt, 'MESSAGE_BOUNCED');
    return;
  }
  tell(arrivedAt, 'MESSAGE_DELIVERED');
  if (channel === 'EMAIL' && customer.prefetches) {
    stage.tell(customer, arrivedAt + random.between(1, 90) * 1000, channel, 'MESSAGE_OPENED', {
      ...message(),
      machineGenerated: true,
    });
  }
  if (at > customer.goneAt || !random.chance(customer.opens)) return;
  const openedAt = arrivedAt + random.exponential(5 * HOUR_MS);
  tell(openedAt, 'MESSAGE_OPENED');
  if (random.chance(customer.clicks)) {
    tell(openedAt + random.between(5, 60) * 1000, 'MESSAGE_CLICKED');
    stage.plan(openedAt + 70_000, customer, browse);
  } else if (random.chance(0.006)) {
    tell(openedAt + random.between(5, 60) * 1000, 'UNSUBSCRIBED');
    customer.subscribed = false;
  }
}

/** This week's newsletter, and the next one, until the customer has had enough. */
export const readNewsletter: Act = (stage, customer, at) => {
  if (!customer.subscribed) return;
  sendMessage(stage, customer, at, `weekly-${Math.floor(at / WEEK_MS)}`);
  stage.plan(nextNewsletter(customer, at), customer, readNewsletter);
};

/** When the next newsletter after `at` reaches this customer. */
export function nextNewsletter(customer: Customer, at: Instant): Instant {
  const midnight = tokyoMidnight(at);
  const daysAhead = (THURSDAY - tokyoWeekday(midnight) + 7) % 7;
  const leavesAt = midnight + daysAhead * DAY_MS + NEWSLETTER_HOUR * HOUR_MS;
  const spread = Math.floor(customer.random.next() * NEWSLETTER_SPREAD_MS);
  return (leavesAt > at ? leavesAt : leavesAt + WEEK_MS) + spread;
}
