/**
 * What the measures of a brand are made of, by the names under which partials carry them from the customer processor to the
 * brand processor. Their order is part of packed states, so names are only ever added at the end.
 */

/** Over which times measures are served, the shortest first; each holds those before it. */
export const BRAND_WINDOWS = ['24h', '7d', '30d', '90d', '365d'] as const;
export type BrandWindow = (typeof BRAND_WINDOWS)[number];

/** Sums over a window. */
export const BRAND_SUMS = [
  'interactions',
  'orders',
  'guestOrders',
  'otherCurrencyOrders',
  'revenueMinor',
  'socialActions',
  'referralsSent',
  'referralsConverted',
  'messagesSent',
  'messagesDelivered',
  'opens',
  'repeatOpens',
  'machineOpens',
  'clicks',
  'repeatClicks',
  'machineClicks',
  'unsubscribes',
  'renewals',
  'renewalsDue',
  'pageVisibleMs',
  'measuredViews',
  'longViews',
  'unmeasuredViews',
  'sessions',
  'engagedSessions',
  'stageEntered',
  'stageAdvanced',
  'stageLeft',
  'stageSeconds',
  'npsAnswers',
  'npsSatisfied',
  'npsDissatisfied',
  'csatAnswers',
  'csatSatisfied',
  'csatDissatisfied',
  'cesAnswers',
  'cesSatisfied',
  'cesDissatisfied',
  'ratingAnswers',
  'ratingSatisfied',
  'ratingDissatisfied',
] as const;
export type BrandSum = (typeof BRAND_SUMS)[number];

/**
 * How many customers are something, in a window or, of what no window is asked, now. `atStart`: at the beginning of the window;
 * `lostOfStart`: of those the ones that are lost now; `lost`: lost now, and not before the window.
 */
export const BRAND_STANDINGS = [
  'active',
  'purchasers',
  'repeatPurchasers',
  'customers',
  'customersAtStart',
  'lostOfStart',
  'lost',
  'referrers',
  'awareness',
  'consideration',
  'purchase',
  'retention',
  'advocacy',
  'subscriptions',
] as const;
export type BrandStanding = (typeof BRAND_STANDINGS)[number];

/** Of these there is one number, whatever the window. */
export const STANDINGS_OF_NOW: readonly BrandStanding[] = [
  'customers',
  'awareness',
  'consideration',
  'purchase',
  'retention',
  'advocacy',
  'subscriptions',
];

export type BrandAmount = BrandSum | BrandStanding;
/** Sums, then standings. */
export const BRAND_AMOUNTS: readonly BrandAmount[] = [...BRAND_SUMS, ...BRAND_STANDINGS];

/** What measures are told apart by: the brand as a whole, or one value of these. */
export const DIMENSIONS = ['brand', 'segment', 'channel', 'campaign', 'stage'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** The value under which a brand as a whole is counted, and the one for values beyond a bound. */
export const WHOLE = 'all';
export const OTHER = 'other';

/** The key of the document of a brand and a dimension's value; a bar in a value is kept, being behind the second one. */
export function brandKey(brandId: string, dimension: string, value: string): string {
  return `${brandId}|${dimension}|${value}`;
}

export function splitBrandKey(key: string): { brandId: string; dimension: string; value: string } {
  const first = key.indexOf('|');
  const second = key.indexOf('|', first + 1);
  return { brandId: key.slice(0, first), dimension: key.slice(first + 1, second), value: key.slice(second + 1) };
}

export function placeOfSum(name: BrandSum): number {
  return BRAND_SUMS.indexOf(name);
}
