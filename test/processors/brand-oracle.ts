import type { BrandWindow } from '../../processors/core/brand-amounts.ts';
import type { BrandDefinition, Definitions } from '../../processors/core/definitions.ts';
import { STANDARD_SURVEYS } from '../../processors/core/surveys.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import type { BrandKpi, CustomerEvent, Interaction, JourneyChanged } from '../../schemas/types.ts';
import { countSubscriptions, countVisits, type Add, type Event } from './brand-oracle-visits.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SOCIAL = /^SOCIAL_/;
/** What the customer did not do. */
const NO_INTERACTION = new Set([
  'PAGE_ENGAGEMENT',
  'MESSAGE_SENT',
  'MESSAGE_DELIVERED',
  'MESSAGE_BOUNCED',
  'IDENTIFIED',
  'UNKNOWN',
]);

interface Logged {
  readonly timestamp: number;
  readonly value: Interaction;
}

/** `dimension value measure`: numerator and denominator. */
export type Figures = Map<string, readonly [number, number | null]>;

/**
 * The measures of one brand over a window at `until`, counted anew from everything that was logged, by nothing but their definitions.
 * `segmentsOf`: the segments of a customer (a subject) then.
 */
export function countMeasures(
  logged: Iterable<Logged>,
  definitions: Definitions,
  brandId: string,
  until: number,
  window: BrandWindow,
  segmentsOf: (subject: string) => readonly string[],
): Figures {
  const start = startOf(until, window);
  const customers = eventsBySubject(logged, definitions, brandId);
  const brand = definitions.brands.get(brandId) ?? definitions.defaultBrand;
  const groups = new Map<string, Map<string, number>>();
  for (const [subject, events] of customers) {
    const counted = countCustomer(events, definitions, brand, start, until);
    for (const group of ['brand all', ...segmentsOf(subject).map((id) => `segment ${id}`)]) {
      const sums = groups.get(group) ?? new Map<string, number>();
      groups.set(group, sums);
      for (const [name, by] of counted) sums.set(name, (sums.get(name) ?? 0) + by);
    }
  }
  const figures: Figures = new Map();
  for (const [group, sums] of messagesByChannelAndCampaign(customers.values(), start))
    addMessages(figures, group, sums);
  for (const [group, sums] of groups) {
    const of = (name: string): number => sums.get(name) ?? 0;
    const add = (measure: string, numerator: number, denominator: number | null): void => {
      figures.set(`${group} ${measure}`, [numerator, denominator]);
    };
    add('orders', of('orders'), null);
    add('unique_customers', of('buyers'), null);
    add('active_customers', of('active'), null);
    add('interactions', of('interactions'), null);
    add('revenue', of('revenue'), null);
    add('guest_checkout_rate', of('guestOrders'), of('orders'));
    add('purchase_frequency', of('orders'), of('buyers'));
    add('average_order_value', of('revenue'), of('ordersInCurrency'));
    add('revenue_per_customer', of('revenue'), of('buyers'));
    add('repeat_purchase_rate', of('repeaters'), of('buyers'));
    if (group === 'brand all') add('social_engagement_rate', of('social'), brand.socialReach ?? of('active'));
    add('social_actions_per_customer', of('social'), of('active'));
    add('referral_rate', of('referrers'), of('active'));
    add('referral_conversion', of('converted'), of('referrals'));
    addMessages(figures, group, sums);
    add('active_subscriptions', of('subscriptions'), null);
    add('renewal_rate', of('renewals'), of('due'));
    if (group === 'brand all') addVisits(add, of);
    if (group === 'brand all') addAnswers(add, of);
    add('churn_rate', of('start') - of('stayed'), of('start'));
    add('churn_rate_plain', of('lost'), of('start'));
    add('retention_rate', of('stayed'), of('start'));
    add('retention_rate_plain', of('customers'), of('start'));
    add('customers', of('customers'), null);
  }
  return figures;
}

function addVisits(
  add: (measure: string, numerator: number, denominator: number | null) => void,
  of: (name: string) => number,
): void {
  add('average_time_on_page', of('visible'), of('measured'));
  add('long_view_rate', of('long'), of('measured'));
  add('unmeasured_page_views', of('unmeasured'), null);
  add('closed_sessions', of('sessions'), null);
  add('engaged_sessions', of('engaged'), null);
  add('engaged_session_rate', of('engaged'), of('sessions'));
}

function addAnswers(
  add: (measure: string, numerator: number, denominator: number | null) => void,
  of: (name: string) => number,
): void {
  add('nps', of('NPS good') - of('NPS bad'), of('NPS'));
  for (const metric of ['CSAT', 'CES', 'RATING']) {
    add(`${metric.toLowerCase()}_satisfied`, of(`${metric} good`), of(metric));
  }
}

/** Of one customer: answers by metric, and those that are good or bad by their survey, else by the usual scale. */
function countAnswers(events: readonly Event[], definitions: Definitions, start: number, add: Add): void {
  for (const { at, value } of events) {
    const { type, score, brandId, machineGenerated } = value;
    if (at < start || machineGenerated || score === null || !/^(SURVEY_ANSWERED|REVIEW_POSTED)$/.test(type)) continue;
    if (score.metric === 'UNKNOWN') continue;
    const survey = definitions.surveys.get(score.surveyId ?? '');
    const isOwn = survey?.metric === score.metric && survey.brands.some((each) => each === '*' || each === brandId);
    const { good, satisfiedFrom, dissatisfiedFrom } = isOwn ? survey : STANDARD_SURVEYS[score.metric];
    const sign = good === 'high' ? 1 : -1;
    add(score.metric, 1);
    if (sign * score.value >= sign * satisfiedFrom) add(`${score.metric} good`, 1);
    else if (sign * score.value <= sign * dissatisfiedFrom) add(`${score.metric} bad`, 1);
  }
}

/** Of each stage of the journey, from the moves that were published of all customers, in the order of their time. */
export function countStages(moves: Iterable<JourneyChanged>, start: number): Figures {
  const order = ['awareness', 'consideration', 'purchase', 'retention', 'advocacy'];
  const sums = new Map<string, { entered: number; advanced: number; left: number; seconds: number }>();
  const since = new Map<string, number>();
  const of = (stage: string) => {
    const known = sums.get(stage) ?? { entered: 0, advanced: 0, left: 0, seconds: 0 };
    sums.set(stage, known);
    return known;
  };
  for (const { axis, from, to, customerId, occurredAt } of moves) {
    if (axis !== 'STAGE') continue;
    const begunAt = since.get(customerId) ?? 0;
    since.set(customerId, occurredAt);
    if (occurredAt >= start) of(to).entered += 1;
    if (from === null || begunAt < start) continue;
    of(from).left += 1;
    of(from).seconds += Math.round((occurredAt - begunAt) / 1000);
    if (order.indexOf(to) > order.indexOf(from)) of(from).advanced += 1;
  }
  const figures: Figures = new Map();
  for (const [stage, { entered, advanced, left, seconds }] of sums) {
    figures.set(`stage ${stage} stage_entries`, [entered, null]);
    if (stage !== 'advocacy') figures.set(`stage ${stage} stage_conversion`, [advanced, entered]);
    figures.set(`stage ${stage} stage_dwell_time`, [seconds, left]);
  }
  return withoutNothing(figures);
}

function addMessages(figures: Figures, group: string, sums: ReadonlyMap<string, number>): void {
  const of = (name: string): number => sums.get(name) ?? 0;
  const add = (measure: string, numerator: number, denominator: number | null): void => {
    figures.set(`${group} ${measure}`, [numerator, denominator]);
  };
  add('messages_delivered', of('MESSAGE_DELIVERED'), null);
  add('delivery_rate', of('MESSAGE_DELIVERED'), of('MESSAGE_SENT'));
  add('open_rate', of('MESSAGE_OPENED'), of('MESSAGE_DELIVERED'));
  add('open_rate_human', of('MESSAGE_OPENED human'), of('MESSAGE_DELIVERED'));
  add('click_rate', of('MESSAGE_CLICKED'), of('MESSAGE_DELIVERED'));
  add('click_rate_human', of('MESSAGE_CLICKED human'), of('MESSAGE_DELIVERED'));
  add('click_to_open_rate', of('MESSAGE_CLICKED'), of('MESSAGE_OPENED'));
  add('click_to_open_rate_human', of('MESSAGE_CLICKED human'), of('MESSAGE_OPENED human'));
  add('unsubscribe_rate', of('UNSUBSCRIBED'), of('MESSAGE_DELIVERED'));
}

/** Of one customer: messages by type, opens and clicks once a message, by the day of the first. */
function* messagesOf(events: readonly Event[], start: number): Generator<readonly [name: string, event: Event]> {
  const seen = new Set<string>();
  for (const event of events) {
    const { type, messageId, machineGenerated } = event.value;
    const isFirstOnly = type === 'MESSAGE_OPENED' || type === 'MESSAGE_CLICKED';
    if (!isFirstOnly && !/^(MESSAGE_SENT|MESSAGE_DELIVERED|UNSUBSCRIBED)$/.test(type)) continue;
    for (const name of isFirstOnly && !machineGenerated ? [type, `${type} human`] : [type]) {
      if (isFirstOnly && messageId !== null && seen.has(`${name} ${messageId}`)) continue;
      seen.add(`${name} ${messageId}`);
      if (event.at >= start) yield [name, event];
    }
  }
}

function messagesByChannelAndCampaign(customers: Iterable<readonly Event[]>, start: number) {
  const groups = new Map<string, Map<string, number>>();
  for (const events of customers) {
    for (const [name, { value }] of messagesOf(events, start)) {
      for (const group of [`channel ${value.channel}`, `campaign ${value.campaignId}`]) {
        if (group === 'campaign null') continue;
        const sums = groups.get(group) ?? new Map<string, number>();
        groups.set(group, sums);
        sums.set(name, (sums.get(name) ?? 0) + 1);
      }
    }
  }
  return groups;
}

/** The beginning of the oldest hour, or day, that a window holds. */
export function startOf(until: number, window: BrandWindow): number {
  const [, count = '', unit] = /^(\d+)([hd])$/.exec(window) ?? [];
  const isOfHours = unit === 'h' || count === '7';
  const [hop, hops] = isOfHours ? [HOUR, unit === 'h' ? Number(count) : 24 * Number(count)] : [DAY, Number(count)];
  return (Math.floor(until / hop) - hops) * hop;
}

/** The newest figures over a window of each key, those that are nothing left out. */
export function newestFigures(rows: Iterable<{ readonly value: BrandKpi }>, window: BrandWindow): Figures {
  const figures: Figures = new Map();
  for (const { value } of rows) {
    if (value.window !== window && value.window !== 'now') continue;
    const name = `${value.dimension} ${value.dimensionValue} ${value.measure}`;
    figures.set(name, [value.numerator, value.denominator]);
  }
  return withoutNothing(figures);
}

export function withoutNothing(figures: Figures): Figures {
  return new Map([...figures].filter(([, [above, below]]) => above !== 0 || (below ?? 0) !== 0));
}

function eventsBySubject(logged: Iterable<Logged>, definitions: Definitions, brandId: string): Map<string, Event[]> {
  const intake = createIntake(definitions);
  const customers = new Map<string, Map<string, Event>>();
  for (const { timestamp, value } of logged) {
    const outcome = intake.onRecord(value, timestamp, 'interactions.v1');
    if (outcome.kind !== 'apply') continue;
    for (const output of outcome.outputs) {
      if (output?.topic !== 'customer-events.v1') continue;
      const { subject, interaction, ...event } = output.value as CustomerEvent;
      if (event.brandId !== brandId || interaction === null) continue;
      const events = customers.get(subject) ?? new Map<string, Event>();
      customers.set(subject, events);
      const at = Math.min(interaction.occurredAt, timestamp);
      if (!events.has(interaction.eventId)) events.set(interaction.eventId, { at, timestamp, value: interaction });
    }
  }
  return new Map(Array.from(customers, ([subject, events]) => [subject, [...events.values()]]));
}

function countCustomer(
  events: readonly Event[],
  definitions: Definitions,
  brand: BrandDefinition,
  start: number,
  until: number,
) {
  const { currency } = brand;
  const lostAfterMs = brand.lostAfterDays * DAY;
  const sums = new Map<string, number>();
  const add = (name: string, by: number): void => void sums.set(name, (sums.get(name) ?? 0) + by);
  const of = (name: string): number => sums.get(name) ?? 0;
  for (const [name] of messagesOf(events, start)) add(name, 1);
  countVisits(events, start, until, add);
  countAnswers(events, definitions, start, add);
  const paid = countSubscriptions(events, start, until, add);
  const cancelled = new Set(
    events.filter(({ value }) => value.type === 'ORDER_CANCELLED').map(({ value }) => value.order?.orderId),
  );
  const orders = new Map<string, Event>();
  for (const event of events) {
    const { at, value } = event;
    const isWithin = at >= start;
    const { order } = value;
    if (value.type === 'ORDER_PLACED' && order !== null && !orders.has(order.orderId)) {
      if (!cancelled.has(order.orderId)) orders.set(order.orderId, event);
    }
    if (isWithin && !NO_INTERACTION.has(value.type)) add('interactions', 1);
    if (isWithin && SOCIAL.test(value.type)) add('social', 1);
    if (isWithin && value.type === 'REFERRAL_SENT') add('referrals', 1);
    if (isWithin && value.type === 'REFERRAL_CONVERTED') add('converted', 1);
    const isRefund = value.type === 'ORDER_REFUNDED' && order?.currency === currency && !cancelled.has(order.orderId);
    if (isWithin && isRefund) add('revenue', -order.amountMinor);
  }
  const times: number[] = [];
  for (const { at, value } of orders.values()) {
    times.push(at);
    if (at < start || value.order === null) continue;
    add('orders', 1);
    if (value.order.guest) add('guestOrders', 1);
    if (value.order.currency !== currency) continue;
    add('ordersInCurrency', 1);
    add('revenue', value.order.amountMinor);
  }
  // A subscription, or a purchase that is not too old and that no end of the last subscription came after.
  const isCustomerAt = (instant: number): boolean => {
    if (paid.some(({ from, to }) => from <= instant && instant < to)) return true;
    const endedAt = Math.max(0, ...paid.map(({ to }) => to).filter((to) => to <= instant));
    return times.some(
      (at) => at >= endedAt && (instant === start ? at < start : at <= instant) && instant < at + lostAfterMs,
    );
  };
  if (of('interactions') > 0) add('active', 1);
  if (of('referrals') > 0) add('referrers', 1);
  if (of('orders') > 0) add('buyers', 1);
  if (of('orders') > 1) add('repeaters', 1);
  if (isCustomerAt(until)) add('customers', 1);
  // Lost within the window: a customer at its beginning, or since.
  else if ([start, ...[...times, ...paid.map(({ from }) => from)].filter((at) => at >= start)].some(isCustomerAt)) {
    add('lost', 1);
  }
  if (isCustomerAt(start)) {
    add('start', 1);
    if (isCustomerAt(until)) add('stayed', 1);
  }
  return sums;
}
