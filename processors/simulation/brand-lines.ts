/** How a measure of the brand is told: its name, and its value in words. */
type Telling = readonly [kpi: string, name: string, told: (value: number) => string];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

const TOLD: readonly Telling[] = [
  ['customers', 'customers', whole],
  ['purchase_frequency', 'orders a customer', (value) => value.toFixed(2)],
  ['average_order_value', 'order value', (value) => `${whole(value)} JPY`],
  ['repeat_purchase_rate', 'buy again', percent],
  ['guest_checkout_rate', 'as guests', percent],
  ['churn_rate', 'churn', percent],
  ['retention_rate', 'retention', (value) => `${value.toFixed(1)} %`],
  ['active_subscriptions', 'subscriptions', whole],
  ['renewal_rate', 'renewed', percent],
  ['open_rate_human', 'messages opened', percent],
  ['click_rate_human', 'clicked', percent],
  ['engaged_session_rate', 'engaged sessions', percent],
  ['average_time_on_page', 'time on page', (value) => `${(value / 1000).toFixed(1)} s`],
  ['social_engagement_rate', 'social engagement', percent],
  ['referral_rate', 'refer others', percent],
  ['nps', 'NPS', (value) => `${value > 0 ? '+' : ''}${whole(value)}`],
];

const TOLD_OF_A_WEEK: readonly Telling[] = [
  ['active_customers', 'active customers', whole],
  ['orders', 'orders', whole],
  ['revenue', 'revenue', (value) => `${whole(value)} JPY`],
  ['average_order_value', 'order value', (value) => `${whole(value)} JPY`],
  ['churn_rate', 'churn', percent],
  ['open_rate_human', 'messages opened', percent],
  ['nps', 'NPS', (value) => `${value > 0 ? '+' : ''}${whole(value)}`],
];

/** What a year of the brand comes to, as words that may be put on lines; what has no value yet is left out. */
export function brandWords(kpis: Readonly<Record<string, number>>): string[] {
  return wordsOf(TOLD, kpis);
}

/** The same of a week: fewer, for most of the others need a year to mean something. */
export function weekWords(kpis: Readonly<Record<string, number>>): string[] {
  return wordsOf(TOLD_OF_A_WEEK, kpis);
}

function wordsOf(told: readonly Telling[], kpis: Readonly<Record<string, number>>): string[] {
  const words = told.flatMap(([kpi, name, inWords]) => {
    const value = kpis[kpi];
    return value === undefined ? [] : [`${name} ${inWords(value)}`];
  });
  return words.map((word, index) => `${index === 0 ? '  ' : ''}${word}${index === words.length - 1 ? '' : ','}`);
}
