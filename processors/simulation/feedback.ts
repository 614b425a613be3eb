import type { Channel, Interaction, Order } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { Customer } from './population.ts';
import { atAGoodTime, DAY_MS, MINUTE_MS, WEEK_MS } from './rhythm.ts';
import type { Act, Stage } from './stage.ts';
import { remark } from './texts.ts';
import type { Mood } from './texts.ts';

const SUPPORT_CHANNELS: readonly (readonly [Channel, number])[] = [
  ['CHAT', 55],
  ['CALL_CENTER', 30],
  ['LINE', 15],
];
const RELATIONSHIP_SURVEY_DAYS = 182;

/** 0 to 1: the customer's temper, and how this one experience went. */
function satisfaction({ random, temper }: Customer): number {
  return Math.max(0, Math.min(1, temper + 0.2 * random.normal()));
}

function moodOf(satisfied: number): Mood {
  if (satisfied < 0.4) return 'bad';
  return satisfied < 0.62 ? 'fair' : 'good';
}

/** A text for some, none for the others. */
function comment(customer: Customer, satisfied: number, probability: number): Partial<Interaction> {
  return customer.random.chance(probability) ? { ...remark(customer.random, moodOf(satisfied)) } : {};
}

/** What may come after a purchase: a survey about the delivery, a review, a question to the support. */
export function planFeedback(stage: Stage, customer: Customer, boughtAt: Instant, order: Order): void {
  const { random } = customer;
  const later = (leastDays: number, mostDays: number) => {
    const planned = boughtAt + random.between(leastDays, mostDays) * DAY_MS;
    return atAGoodTime(planned, boughtAt + MINUTE_MS, random);
  };
  if (random.chance(0.2)) stage.plan(later(4, 9), customer, rateDelivery);
  const first = order.items[0];
  if (first !== undefined && random.chance(0.09)) {
    stage.plan(later(6, 20), customer, (_, __, at) => {
      const satisfied = satisfaction(customer);
      const value = Math.max(1, Math.min(5, Math.round(0.7 + 4.6 * satisfied)));
      stage.tell(customer, at, 'REVIEW', 'REVIEW_POSTED', {
        ...comment(customer, satisfied, 0.8),
        touchpoint: `product/${first.productId}`,
        score: { metric: 'RATING', value, surveyId: null },
      });
    });
  }
  if (random.chance(0.05)) stage.plan(later(1, 10), customer, contactSupport);
}

const rateDelivery: Act = (stage, customer, at) => {
  const satisfied = satisfaction(customer);
  stage.tell(customer, at, 'SURVEY', 'SURVEY_ANSWERED', {
    ...comment(customer, satisfied, 0.3),
    touchpoint: 'delivery',
    score: { metric: 'CSAT', value: 1 + Math.round(9 * satisfied), surveyId: 'delivery' },
  });
};

/** Would you recommend us? Asked twice a year; few answer. */
export const answerRelationshipSurvey: Act = (stage, customer, at) => {
  if (at > customer.goneAt) return;
  const satisfied = satisfaction(customer);
  if (customer.random.chance(0.3)) {
    stage.tell(customer, at, 'SURVEY', 'SURVEY_ANSWERED', {
      ...comment(customer, satisfied, 0.4),
      touchpoint: 'relationship',
      score: { metric: 'NPS', value: Math.round(10 * satisfied), surveyId: 'relationship' },
    });
  }
  stage.plan(at + RELATIONSHIP_SURVEY_DAYS * DAY_MS, customer, answerRelationshipSurvey);
};

/** A question or a complaint, sometimes asked how much effort it was. */
const contactSupport: Act = (stage, customer, at) => {
  const { random } = customer;
  const channel = random.weighted(SUPPORT_CHANNELS);
  const satisfied = satisfaction(customer) - 0.15;
  stage.tell(customer, at, channel, 'SUPPORT_CONTACTED', { touchpoint: 'support' });
  if (satisfied < 0.4) {
    stage.tell(customer, at + 6 * MINUTE_MS, channel, 'COMPLAINT', {
      ...remark(random, 'bad'),
      touchpoint: 'support',
    });
  }
  if (random.chance(0.3)) {
    stage.tell(customer, at + random.between(10, 90) * MINUTE_MS, 'SURVEY', 'SURVEY_ANSWERED', {
      touchpoint: 'support',
      score: { metric: 'CES', value: Math.max(1, Math.min(5, 5 - Math.round(4 * satisfied))), surveyId: 'support' },
    });
  }
};

/** Some come back to the support again and again. */
export const contactSupportAgain: Act = (stage, customer, at) => {
  contactSupport(stage, customer, at);
  planContact(stage, customer, at);
};

export function planContact(stage: Stage, customer: Customer, after: Instant): void {
  const next = after + customer.random.exponential(WEEK_MS / customer.contactsPerWeek);
  if (next < customer.goneAt) stage.plan(atAGoodTime(next, after, customer.random), customer, contactSupportAgain);
}
