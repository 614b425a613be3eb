import { BRAND_AMOUNTS, type BrandAmount, type Dimension } from '../core/brand-amounts.ts';
import { netPromoterScore, share, type Estimate } from '../core/estimates.ts';
import type { BrandRules } from './rules.ts';

/** The sums of all partitions over one window, at the places of BRAND_AMOUNTS. */
export type Amounts = Float64Array;

export type Unit = 'ratio' | 'ms' | 's' | 'percent' | 'per_customer' | 'count' | 'minor';

/** What a measure of a brand is made of. */
export interface Measure {
  readonly name: string;
  readonly dimensions: readonly Dimension[];
  /** How many there are at the instant, rather than over windows. */
  readonly isOfNow?: true;
  readonly unit: Unit;
  numerator(amounts: Amounts): number;
  /** Absent: a plain count or sum. */
  denominator?(amounts: Amounts, rules: BrandRules): number;
  /** The name of the denominator. */
  of?(rules: BrandRules, dimension: Dimension): string;
  /** The numerator is part of the denominator, so that the measure is a share and has an interval. */
  readonly isShare?: true;
  /** It is a net promoter score: promoters less detractors, of answers. */
  readonly isNps?: true;
  /** A value of the dimension that it means nothing for. */
  readonly notOf?: string;
  readonly isMoney?: true;
  /** It depends on after how many days a customer counts as lost. */
  readonly isOfLost?: true;
}

/** One measure with its figures; `value` is null while the denominator is 0. */
export interface Figure {
  readonly numerator: number;
  readonly denominator: number | null;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

const CUSTOMERS: readonly Dimension[] = ['brand', 'segment'];
const STAGE: readonly Dimension[] = ['stage'];
const MESSAGES: readonly Dimension[] = ['brand', 'segment', 'channel', 'campaign'];

/** How the parts of measures are called in `denominatorOf`. */
const NAMES: Readonly<Partial<Record<BrandAmount, string>>> & { active: string } = {
  active: 'active_customers',
  orders: 'orders',
  purchasers: 'unique_customers',
  referralsSent: 'referrals_sent',
  customersAtStart: 'customers_at_start',
  messagesSent: 'messages_sent',
  messagesDelivered: 'messages_delivered',
  renewalsDue: 'renewals_due',
  measuredViews: 'measured_page_views',
  sessions: 'closed_sessions',
  stageEntered: 'stage_entries',
  stageLeft: 'stays_ended',
};

/** Everything that is served of a brand. Names are public: they are added to, never renamed. */
export const MEASURES: readonly Measure[] = [
  count('orders', 'orders'),
  count('unique_customers', 'purchasers'),
  count('active_customers', 'active'),
  count('interactions', 'interactions'),
  { ...count('revenue', 'revenueMinor'), unit: 'minor', isMoney: true },
  { ...ratio('guest_checkout_rate', 'guestOrders', 'orders'), isShare: true },
  { ...ratio('purchase_frequency', 'orders', 'purchasers'), unit: 'per_customer' },
  {
    ...ratio('average_order_value', 'revenueMinor', 'orders'),
    denominator: (amounts) => amount(amounts, 'orders') - amount(amounts, 'otherCurrencyOrders'),
    of: () => 'orders_in_currency',
    unit: 'minor',
    isMoney: true,
  },
  { ...ratio('revenue_per_customer', 'revenueMinor', 'purchasers'), unit: 'minor', isMoney: true },
  { ...ratio('repeat_purchase_rate', 'repeatPurchasers', 'purchasers'), isShare: true },
  {
    ...ratio('social_engagement_rate', 'socialActions', 'active'),
    dimensions: ['brand'],
    denominator: (amounts, { socialReach }) => socialReach ?? amount(amounts, 'active'),
    of: ({ socialReach }) => (socialReach === null ? NAMES.active : 'social_reach'),
  },
  { ...ratio('social_actions_per_customer', 'socialActions', 'active'), unit: 'per_customer' },
  { ...ratio('referral_rate', 'referrers', 'active'), isShare: true },
  ratio('referral_conversion', 'referralsConverted', 'referralsSent'),
  { ...ratio('churn_rate', 'lostOfStart', 'customersAtStart'), isShare: true, isOfLost: true },
  { ...ratio('churn_rate_plain', 'lost', 'customersAtStart'), isOfLost: true },
  {
    ...ratio('retention_rate', 'customersAtStart', 'customersAtStart'),
    numerator: (amounts) => amount(amounts, 'customersAtStart') - amount(amounts, 'lostOfStart'),
    unit: 'percent',
    isShare: true,
    isOfLost: true,
  },
  { ...ratio('retention_rate_plain', 'customers', 'customersAtStart'), unit: 'percent', isOfLost: true },
  { ...count('customers', 'customers'), isOfNow: true, isOfLost: true },
  { ...count('messages_delivered', 'messagesDelivered'), dimensions: MESSAGES },
  ofMessages('delivery_rate', 'messagesDelivered', 'messagesSent'),
  { ...ofMessages('open_rate', 'opens', 'messagesDelivered'), numerator: uniqueOpens },
  { ...ofMessages('open_rate_human', 'opens', 'messagesDelivered'), numerator: humanOpens },
  { ...ofMessages('click_rate', 'clicks', 'messagesDelivered'), numerator: uniqueClicks },
  { ...ofMessages('click_rate_human', 'clicks', 'messagesDelivered'), numerator: humanClicks },
  {
    ...ofMessages('click_to_open_rate', 'clicks', 'opens'),
    numerator: uniqueClicks,
    denominator: uniqueOpens,
    of: () => 'unique_opens',
  },
  {
    ...ofMessages('click_to_open_rate_human', 'clicks', 'opens'),
    numerator: humanClicks,
    denominator: humanOpens,
    of: () => 'unique_opens_human',
  },
  ofMessages('unsubscribe_rate', 'unsubscribes', 'messagesDelivered'),
  { ...count('active_subscriptions', 'subscriptions'), isOfNow: true },
  ratio('renewal_rate', 'renewals', 'renewalsDue'),
  { ...ratio('average_time_on_page', 'pageVisibleMs', 'measuredViews'), dimensions: ['brand'], unit: 'ms' },
  { ...ratio('long_view_rate', 'longViews', 'measuredViews'), dimensions: ['brand'], isShare: true },
  { ...count('unmeasured_page_views', 'unmeasuredViews'), dimensions: ['brand'] },
  { ...count('closed_sessions', 'sessions'), dimensions: ['brand'] },
  { ...count('engaged_sessions', 'engagedSessions'), dimensions: ['brand'] },
  { ...ratio('engaged_session_rate', 'engagedSessions', 'sessions'), dimensions: ['brand'], isShare: true },
  { ...count('stage_awareness', 'awareness'), isOfNow: true },
  { ...count('stage_consideration', 'consideration'), isOfNow: true },
  { ...count('stage_purchase', 'purchase'), isOfNow: true },
  { ...count('stage_retention', 'retention'), isOfNow: true },
  { ...count('stage_advocacy', 'advocacy'), isOfNow: true },
  { ...count('stage_entries', 'stageEntered'), dimensions: STAGE },
  // There is no stage after the last one.
  {
    ...ratio('stage_conversion', 'stageAdvanced', 'stageEntered'),
    dimensions: STAGE,
    isShare: true,
    notOf: 'advocacy',
  },
  { ...ratio('stage_dwell_time', 'stageSeconds', 'stageLeft'), dimensions: STAGE, unit: 's' },
  {
    ...ofAnswers('nps', 'npsSatisfied', 'npsAnswers'),
    numerator: (amounts) => amount(amounts, 'npsSatisfied') - amount(amounts, 'npsDissatisfied'),
    unit: 'percent',
    isNps: true,
  },
  { ...ofAnswers('csat_satisfied', 'csatSatisfied', 'csatAnswers'), isShare: true },
  { ...ofAnswers('ces_satisfied', 'cesSatisfied', 'cesAnswers'), isShare: true },
  { ...ofAnswers('rating_satisfied', 'ratingSatisfied', 'ratingAnswers'), isShare: true },
];

export function newAmounts(): Amounts {
  return new Float64Array(BRAND_AMOUNTS.length);
}

export function amount(amounts: Amounts, name: BrandAmount): number {
  return amounts[BRAND_AMOUNTS.indexOf(name)] ?? 0;
}

export function figureOf(measure: Measure, amounts: Amounts, rules: BrandRules): Figure {
  const numerator = measure.numerator(amounts);
  const denominator = measure.denominator?.(amounts, rules) ?? null;
  if (denominator === null) return { numerator, denominator, value: numerator, low: null, high: null };
  if (denominator === 0) return { numerator, denominator, value: null, low: null, high: null };
  const scale = measure.unit === 'percent' ? 100 : 1;
  const interval = intervalOf(measure, amounts, numerator, denominator);
  return {
    numerator,
    denominator,
    value: (scale * numerator) / denominator,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
  };
}

/** In the measure's unit; null where it is no share, or more than one. */
function intervalOf(
  { isShare, isNps, unit }: Measure,
  amounts: Amounts,
  above: number,
  below: number,
): Pick<Estimate, 'low' | 'high'> | null {
  if (isNps === true) {
    const [promoters, detractors] = [amount(amounts, 'npsSatisfied'), amount(amounts, 'npsDissatisfied')];
    return netPromoterScore(promoters, below - promoters - detractors, detractors);
  }
  const interval = isShare === true && above >= 0 && above <= below ? share(above, below) : null;
  const scale = unit === 'percent' ? 100 : 1;
  return interval === null ? null : { low: scale * interval.low, high: scale * interval.high };
}

function ofAnswers(name: string, above: BrandAmount, below: BrandAmount): Measure {
  return { ...ratio(name, above, below), dimensions: ['brand', 'stage'], of: () => 'answers' };
}

function ofMessages(name: string, above: BrandAmount, below: BrandAmount): Measure {
  return { ...ratio(name, above, below), dimensions: MESSAGES, isShare: true };
}

/** The first open of each message and customer, by people. */
function humanOpens(amounts: Amounts): number {
  return amount(amounts, 'opens') - amount(amounts, 'repeatOpens');
}

function uniqueOpens(amounts: Amounts): number {
  return humanOpens(amounts) + amount(amounts, 'machineOpens');
}

function humanClicks(amounts: Amounts): number {
  return amount(amounts, 'clicks') - amount(amounts, 'repeatClicks');
}

function uniqueClicks(amounts: Amounts): number {
  return humanClicks(amounts) + amount(amounts, 'machineClicks');
}

function count(name: string, of: BrandAmount): Measure {
  return {
    name,
    dimensions: CUSTOMERS,
    unit: 'count',
    numerator: (amounts) => amount(amounts, of),
  };
}

function ratio(name: string, above: BrandAmount, below: BrandAmount): Measure & Required<Pick<Measure, 'denominator'>> {
  return {
    name,
    dimensions: CUSTOMERS,
    unit: 'ratio',
    numerator: (amounts) => amount(amounts, above),
    denominator: (amounts) => amount(amounts, below),
    of: () => NAMES[below] ?? below,
  };
}
