import type { Instant } from '../core/processor.ts';
import type { InteractionType } from '../../schemas/types.ts';
import { MEASURES, type Measure } from './features.ts';
import { reportedMs } from './page-time.ts';
import type { Postings } from './postings.ts';
import type { FoldedInteraction } from './read-fields.ts';

const PLACES = new Map<Measure, number>(MEASURES.map((measure, place) => [measure, place]));

/** The measure's place in MEASURES. */
export function placeOf(measure: Measure): number {
  return PLACES.get(measure) ?? 0;
}

/** A bit for the place of each. */
export function bitsOf(...measures: readonly Measure[]): number {
  return measures.reduce((bits, measure) => bits | (1 << placeOf(measure)), 0);
}

const NO_INTERACTION: ReadonlySet<InteractionType> = new Set([
  'PAGE_ENGAGEMENT',
  'MESSAGE_SENT',
  'MESSAGE_DELIVERED',
  'MESSAGE_BOUNCED',
  'IDENTIFIED',
]);

// Orders, revenue and refunds are the order book's (orders.ts).
const COUNTED: Partial<Readonly<Record<InteractionType, Measure>>> = {
  PAGE_VIEW: 'page_views',
  PRODUCT_VIEW: 'product_views',
  SEARCH: 'searches',
  CART_ADD: 'cart_adds',
  CHECKOUT_STARTED: 'checkouts',
  MESSAGE_DELIVERED: 'messages_delivered',
  MESSAGE_OPENED: 'opens',
  MESSAGE_CLICKED: 'clicks',
  UNSUBSCRIBED: 'unsubscribes',
  SOCIAL_FOLLOW: 'social_actions',
  SOCIAL_LIKE: 'social_actions',
  SOCIAL_REPLY: 'social_actions',
  SOCIAL_SHARE: 'social_actions',
  SOCIAL_TAG: 'social_actions',
  SOCIAL_COMMENT: 'social_actions',
  SOCIAL_QUESTION: 'social_actions',
  SOCIAL_LIVE: 'social_actions',
  REFERRAL_SENT: 'referrals',
  REVIEW_POSTED: 'reviews',
  SURVEY_ANSWERED: 'survey_answers',
  SUPPORT_CONTACTED: 'support_contacts',
  COMPLAINT: 'complaints',
  LOYALTY_ENROLLED: 'loyalty_actions',
  POINTS_EARNED: 'loyalty_actions',
  POINTS_REDEEMED: 'loyalty_actions',
};

/** Sums that can fall below zero: refunds, and points given with a minus. */
export const SIGNED: ReadonlySet<number> = new Set([
  placeOf('revenue'),
  placeOf('points_earned'),
  placeOf('points_redeemed'),
]);

const INTERACTIONS = placeOf('interactions');
const ENGAGED_SECONDS = placeOf('engaged_seconds');
const OPENS = placeOf('opens');
const CLICKS = placeOf('clicks');
const NOTHING = -1;

interface Counting {
  readonly interaction: boolean;
  /** Place of the measure that counts this type; NOTHING for none. */
  readonly measure: number;
}

const COUNTINGS = new Map<InteractionType, Counting>();

/** What an interaction counts for, orders aside, into `postings`. The type alone decides whether it is an interaction. */
export function countInteraction(interaction: FoldedInteraction, at: Instant, postings: Postings): void {
  const { type } = interaction;
  const { interaction: counts, measure } = countingOf(type);
  if (counts) postings.add(INTERACTIONS, at, 1);
  else if (type === 'PAGE_ENGAGEMENT') postSeconds(interaction, at, postings);
  if (measure === NOTHING) return;
  // Of these two the brand knows what machines made.
  if (interaction.machineGenerated && (measure === OPENS || measure === CLICKS)) return;
  postings.add(measure, at, 1);
  if (type === 'POINTS_EARNED') postPoints(interaction, 'points_earned', at, postings);
  if (type === 'POINTS_REDEEMED') postPoints(interaction, 'points_redeemed', at, postings);
}

/** Whether the type alone makes it something the customer did. */
export function isInteraction(type: InteractionType): boolean {
  return countingOf(type).interaction;
}

function countingOf(type: InteractionType): Counting {
  let counting = COUNTINGS.get(type);
  if (counting === undefined) {
    const measure = COUNTED[type];
    counting = {
      interaction: !NO_INTERACTION.has(type),
      measure: measure === undefined ? NOTHING : placeOf(measure),
    };
    COUNTINGS.set(type, counting);
  }
  return counting;
}

/** Rounded for each report, so that the sum does not depend on the order in which reports come. */
function postSeconds(interaction: FoldedInteraction, at: Instant, postings: Postings): void {
  if (interaction.machineGenerated) return;
  const seconds = Math.round(reportedMs(interaction.engagedMs) / 1000);
  if (seconds > 0) postings.add(ENGAGED_SECONDS, at, seconds);
}

/** `attributes.points`, a whole number of up to ten digits, so that a lifetime's sum stays whole; anything else counts no points. */
function postPoints(interaction: FoldedInteraction, measure: Measure, at: Instant, postings: Postings): void {
  const text = interaction.attributes['points'];
  if (text === undefined || !/^[+-]?\d{1,10}$/.test(text)) return;
  postings.add(placeOf(measure), at, Number(text));
}
