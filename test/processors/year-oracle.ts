import type { ChurnModelDefinition, Definitions } from '../../processors/core/definitions.ts';
import type { Interaction } from '../../schemas/types.ts';
import { finds, type Document } from '../harness/rule-interpreter.ts';

/**
 * One customer of a brand a second time, from the contract alone: everything that happened is kept and looked through again at
 * every instant at which a window, an age, the churn risk or the journey can change. Nothing is shared with the product but
 * the definitions, as they are read from their files. For a year and less; every event with an identifier of its own.
 */
export interface Happening {
  /** Record time. */
  readonly now: number;
  readonly interaction: Interaction;
}

/** What was published, in words: `+` entered, `-` left; bands; moves of the journey. */
export interface Told {
  readonly memberships: string[];
  readonly bands: string[];
  readonly journey: string[];
}

interface Entry {
  readonly at: number;
  readonly amount: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Hop and number of hops of each window. */
const SPANS: Readonly<Record<string, readonly [number, number]>> = {
  '1h': [5 * MINUTE, 12],
  '24h': [HOUR, 24],
  '7d': [HOUR, 168],
  '30d': [DAY, 30],
  '90d': [DAY, 90],
  '365d': [DAY, 365],
};

const COUNTED: Readonly<Record<string, string>> = {
  ...{ PAGE_VIEW: 'page_views', PRODUCT_VIEW: 'product_views', SEARCH: 'searches', CART_ADD: 'cart_adds' },
  ...{ CHECKOUT_STARTED: 'checkouts', MESSAGE_DELIVERED: 'messages_delivered', UNSUBSCRIBED: 'unsubscribes' },
  ...{ MESSAGE_OPENED: 'opens', MESSAGE_CLICKED: 'clicks', REFERRAL_SENT: 'referrals', REVIEW_POSTED: 'reviews' },
  ...{ SURVEY_ANSWERED: 'survey_answers', SUPPORT_CONTACTED: 'support_contacts', COMPLAINT: 'complaints' },
  ...{ LOYALTY_ENROLLED: 'loyalty_actions', POINTS_EARNED: 'loyalty_actions', POINTS_REDEEMED: 'loyalty_actions' },
};
const NOT_DONE = new Set(['PAGE_ENGAGEMENT', 'MESSAGE_SENT', 'MESSAGE_DELIVERED', 'MESSAGE_BOUNCED', 'IDENTIFIED']);
const ON_SITE = [
  'PAGE_VIEW',
  'PAGE_ENGAGEMENT',
  'PRODUCT_VIEW',
  'SEARCH',
  'CART_ADD',
  'CART_REMOVE',
  'CHECKOUT_STARTED',
];
const STAGES = ['awareness', 'consideration', 'purchase', 'retention', 'advocacy'];

/** The rules of one brand, and what its segments ask for. */
export class YearRules {
  readonly currency: string;
  readonly segments: readonly { readonly id: string; readonly where: Document }[];
  readonly model: ChurnModelDefinition | undefined;
  readonly journey: Definitions['defaultJourney'];
  /** `orders.90d`, and ages with the days they are compared with. */
  readonly windows: readonly (readonly [measure: string, window: string])[];
  readonly ages: readonly (readonly [measure: string, days: readonly number[]])[];

  constructor(definitions: Definitions, brandId: string) {
    this.currency = (definitions.brands.get(brandId) ?? definitions.defaultBrand).currency;
    const ofBrand = definitions.segments.filter(({ brands }) => brands.includes('*') || brands.includes(brandId));
    // One that names others comes after them.
    const names = ({ where }: { where: object }): boolean => JSON.stringify(where).includes('"segments"');
    this.segments = [...ofBrand.filter((each) => !names(each)), ...ofBrand.filter(names)];
    this.model = definitions.churn.get(brandId);
    this.journey = definitions.journeys.get(brandId) ?? definitions.defaultJourney;
    const windows = new Map<string, [string, string]>();
    const ages = new Map<string, number[]>();
    JSON.stringify(this.segments, (path, value: unknown) => {
      const [kind, measure = '', window = ''] = path.split('.');
      if (kind === 'traits') windows.set(path, [measure, window]);
      if (kind === 'ages')
        ages.set(measure, [...(ages.get(measure) ?? []), ...Object.values(value as object).map(Number)]);
      return value;
    });
    for (const measure of ['product_views', 'cart_adds', 'checkouts']) windows.set(`${measure}.30d`, [measure, '30d']);
    this.windows = [...windows.values()];
    this.ages = [...ages];
  }
}

export class YearOracle {
  readonly told: Told = { memberships: [], bands: [], journey: [] };
  readonly #rules: YearRules;
  readonly #applied: { readonly id: string; readonly now: number }[] = [];
  readonly #visits: { readonly at: number; readonly now: number; readonly interaction: Interaction }[] = [];
  readonly #orders = new Map<string, { readonly at: number; readonly amount: number | null }>();
  readonly #cancelled = new Set<string>();
  readonly #refunds: { readonly order: string; readonly at: number; readonly amount: number | null }[] = [];
  readonly #counted = new Map<string, Entry[]>();
  readonly #days = new Set<number>();
  #recommendedDay = -1;
  #clock = 0;
  #members: string[] = [];
  #band = '';
  #stage = '';
  #stageSince = 0;
  #lifecycle = '';

  constructor(rules: YearRules) {
    this.#rules = rules;
  }

  fold({ now: at, interaction }: Happening): void {
    const now = Math.max(at, this.#clock);
    this.pass(now);
    this.#clock = now;
    const { eventId, type, order } = interaction;
    if (this.#applied.slice(-64).some(({ id, now: then }) => id === eventId && now - then < DAY)) return;
    if (type === 'ORDER_PLACED' && this.#orders.has(order?.orderId ?? '')) return;
    this.#applied.push({ id: eventId, now });
    this.#take(interaction, Math.min(interaction.occurredAt, now), now);
    this.#evaluate(now, 'EVENT');
  }

  /** Lets time pass, from instant to instant. */
  pass(until: number): void {
    if (this.#applied.length === 0) return;
    for (let from = this.#clock; ;) {
      const next = this.#instantAfter(from, until);
      if (next === null) break;
      this.#evaluate(next, 'TIME');
      from = next;
    }
  }

  /** The sum of a measure over a window. */
  sum(measure: string, window: string, now: number): number {
    const [hop, hops] = SPANS[window] ?? [1, Number.POSITIVE_INFINITY];
    const first = Math.floor(now / hop) - hops;
    const entries = this.#entries(measure);
    let sum = 0;
    for (const { at, amount } of entries) if (Math.floor(at / hop) >= first) sum += amount;
    return sum;
  }

  #take(interaction: Interaction, at: number, now: number): void {
    const { type, channel, order, score, machineGenerated: isMachine, attributes, engagedMs } = interaction;
    const add = (measure: string, amount = 1): void => {
      this.#counted.set(measure, [...(this.#counted.get(measure) ?? []), { at, amount }]);
    };
    if (!NOT_DONE.has(type)) {
      add('interactions');
      if (!isMachine) this.#days.add(Math.floor(at / DAY));
    }
    const isByMachine = isMachine && (type === 'MESSAGE_OPENED' || type === 'MESSAGE_CLICKED');
    const measure = type.startsWith('SOCIAL_') ? 'social_actions' : COUNTED[type];
    if (measure !== undefined && !isByMachine) add(measure);
    if (type === 'POINTS_EARNED' || type === 'POINTS_REDEEMED') {
      if (/^-?\d+$/.test(attributes['points'] ?? '')) add(type.toLowerCase(), Number(attributes['points']));
    }
    if (type === 'PAGE_ENGAGEMENT') {
      const seconds = Math.round(Math.min(engagedMs ?? 0, 30 * MINUTE) / 1000);
      if (seconds > 0) add('engaged_seconds', seconds);
    }
    const isOrderOnSite = type === 'ORDER_PLACED' && (channel === 'WEB' || channel === 'APP');
    if (!isMachine && (ON_SITE.includes(type) || isOrderOnSite)) this.#visits.push({ at, now, interaction });
    const isPromoter =
      (score?.metric === 'NPS' && score.value >= 9) || (score?.metric === 'RATING' && score.value >= 4);
    if (!isMachine && (type.startsWith('REFERRAL_') || isPromoter)) {
      this.#recommendedDay = Math.max(this.#recommendedDay, Math.floor(at / DAY));
    }
    if (order === null) return;
    const amount = order.currency === this.#rules.currency ? order.amountMinor : null;
    if (type === 'ORDER_PLACED') this.#orders.set(order.orderId, { at, amount });
    if (type === 'ORDER_CANCELLED') this.#cancelled.add(order.orderId);
    if (type === 'ORDER_REFUNDED') this.#refunds.push({ order: order.orderId, at, amount });
  }

  #placed(): { readonly at: number; readonly amount: number | null }[] {
    return [...this.#orders].filter(([id]) => !this.#cancelled.has(id)).map(([, order]) => order);
  }

  #entries(measure: string): readonly Entry[] {
    switch (measure) {
      case 'orders':
        return this.#placed().map(({ at }) => ({ at, amount: 1 }));
      case 'refunds':
        return this.#refunds.map(({ at }) => ({ at, amount: 1 }));
      case 'revenue': {
        const back = this.#refunds.filter(({ order }) => !this.#cancelled.has(order));
        const all = [
          ...this.#placed(),
          ...back.map(({ at, amount }) => ({ at, amount: amount === null ? null : -amount })),
        ];
        return all.flatMap(({ at, amount }) => (amount === null ? [] : [{ at, amount }]));
      }
      case 'sessions':
        return this.#sessions().map((at) => ({ at, amount: 1 }));
      default:
        return this.#counted.get(measure) ?? [];
    }
  }

  /** When each session began: what came less than a day late, divided where 30 minutes are between. */
  #sessions(): number[] {
    const begun: number[] = [];
    let last = Number.NEGATIVE_INFINITY;
    const inTime = this.#visits.filter(({ at, now }) => at > now - DAY).map(({ at }) => at);
    for (const at of inTime.sort((a, b) => a - b)) {
      if (at - last >= 30 * MINUTE) begun.push(at);
      last = at;
    }
    return begun;
  }

  #age(measure: string, now: number): number | null {
    const entries = this.#entries(measure);
    return entries.length === 0 ? null : Math.floor((now - Math.max(...entries.map(({ at }) => at))) / DAY);
  }

  /** 1 − P(alive) · P(a purchase within the horizon), by MBG/NBD; null without an order. */
  #risk(now: number): number | null {
    const times = this.#placed().map(({ at }) => at);
    if (times.length === 0 || this.#rules.model === undefined) return null;
    const { parameters, horizonDays } = this.#rules.model;
    const { r, alpha, a, b } = parameters;
    const x = new Set(times.map((at) => Math.floor(at / DAY))).size - 1;
    const tx = x === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / WEEK;
    const T = (now - Math.min(...times)) / WEEK;
    const alive = 1 / (1 + (a / (b + x)) * ((alpha + T) / (alpha + tx)) ** (r + x));
    return 1 - alive * (1 - ((alpha + T) / (alpha + T + horizonDays / 7)) ** (r + x));
  }

  #bandAt(now: number): string {
    const risk = this.#risk(now);
    return risk === null ? '' : risk < 1 / 3 ? 'LOW' : risk < 2 / 3 ? 'MEDIUM' : 'HIGH';
  }

  #evaluate(now: number, cause: string): void {
    const band = this.#bandAt(now);
    if (band !== this.#band && band !== '') this.told.bands.push(`${now} ${cause} ${this.#band} > ${band}`);
    this.#band = band;
    this.#move(now, cause);
    const traits: Record<string, Record<string, number>> = {};
    for (const [measure, window] of this.#rules.windows)
      (traits[measure] ??= {})[window] = this.sum(measure, window, now);
    const ages: Record<string, number> = {};
    for (const [measure] of this.#rules.ages) {
      const age = this.#age(measure, now);
      if (age !== null) ages[measure] = age;
    }
    const members: string[] = [];
    const view = { traits, ages, churn: { band: band || 'INSUFFICIENT_DATA' } };
    for (const { id, where } of this.#rules.segments)
      if (finds({ ...view, segments: members }, where)) members.push(id);
    members.sort();
    const changes = [...new Set([...this.#members, ...members])]
      .filter((id) => members.includes(id) !== this.#members.includes(id))
      .map((id) => (members.includes(id) ? '+' : '-') + id)
      .sort((one, other) => (one.slice(1) < other.slice(1) ? -1 : 1));
    if (changes.length > 0) this.told.memberships.push(`${now} ${cause} ${changes.join(' ')} = ${members.join(' ')}`);
    this.#members = members;
  }

  #move(now: number, cause: string): void {
    const stage = this.#stageAt(now);
    const isBack = STAGES.indexOf(stage) < STAGES.indexOf(this.#stage);
    const dwellMs = (this.#rules.journey.stages?.minDwellHours ?? 0) * HOUR;
    if (stage !== this.#stage && !(isBack && now < this.#stageSince + dwellMs)) {
      this.told.journey.push(`${now} ${cause} STAGE ${this.#stage} > ${stage}`);
      this.#stage = stage;
      this.#stageSince = now;
    }
    const lifecycle = this.#lifecycleAt(now);
    if (lifecycle === this.#lifecycle || lifecycle === '') return;
    this.told.journey.push(`${now} ${cause} LIFECYCLE ${this.#lifecycle} > ${lifecycle}`);
    this.#lifecycle = lifecycle;
  }

  #stageAt(now: number): string {
    const { stages } = this.#rules.journey;
    if (stages === null) return '';
    const times = this.#placed().map(({ at }) => at);
    if (times.length > 0) {
      if (this.#recommendedDay >= 0 && now < (this.#recommendedDay + stages.advocacyDays) * DAY) return 'advocacy';
      if (now < Math.min(...times) + stages.onboardingDays * DAY) return 'purchase';
      if (now < Math.max(...times) + stages.retentionDays * DAY) return 'retention';
    }
    const hasIntent =
      this.sum('product_views', '30d', now) >= stages.considerationViews ||
      this.sum('cart_adds', '30d', now) > 0 ||
      this.sum('checkouts', '30d', now) > 0;
    return hasIntent ? 'consideration' : 'awareness';
  }

  #lifecycleAt(now: number): string {
    const settings = this.#rules.journey.lifecycle;
    const days = [...this.#days].sort((a, b) => b - a);
    const [newest] = days;
    if (settings === null || newest === undefined) return '';
    const today = Math.floor(now / DAY);
    if (today - newest >= settings.churnedDays) return 'churned';
    if (today - newest >= settings.dormantDays) return 'dormant';
    if (today - newest >= settings.activeDays) return 'at_risk';
    if (today - (days.at(-1) ?? today) < settings.newDays) return 'new';
    const cameBack = days.find((day, index) => day - (days[index + 1] ?? day) >= settings.dormantDays);
    return cameBack !== undefined && today - cameBack < settings.resurrectedDays ? 'resurrected' : 'active';
  }

  /** The first instant behind `from`, and no later than `until`, at which something can change. */
  #instantAfter(from: number, until: number): number | null {
    let first = Number.POSITIVE_INFINITY;
    const look = (instant: number): void => {
      if (instant > from && instant < first) first = instant;
    };
    for (const [measure, window] of this.#rules.windows) {
      const [hop = 1, hops = 0] = SPANS[window] ?? [];
      for (const { at } of this.#entries(measure)) look((Math.floor(at / hop) + hops + 1) * hop);
    }
    for (const [measure, days] of this.#rules.ages) {
      const entries = this.#entries(measure);
      const last = Math.max(...entries.map(({ at }) => at));
      if (entries.length > 0) for (const each of days) look(last + each * DAY);
    }
    const { stages } = this.#rules.journey;
    const times = this.#placed().map(({ at }) => at);
    if (stages !== null && times.length > 0) {
      look(Math.min(...times) + stages.onboardingDays * DAY);
      look(Math.max(...times) + stages.retentionDays * DAY);
      look((this.#recommendedDay + stages.advocacyDays) * DAY);
    }
    if (stages !== null) look(this.#stageSince + stages.minDwellHours * HOUR);
    // Everything of a lifecycle happens at midnight: the first at which it is another one.
    look(this.#midnightOfLifecycle(from, Math.min(until, first)));
    look(this.#nextBand(from, Math.min(until, first)));
    return first <= until ? first : null;
  }

  #midnightOfLifecycle(from: number, until: number): number {
    for (let midnight = (Math.floor(from / DAY) + 1) * DAY; midnight <= until; midnight += DAY) {
      if (this.#lifecycleAt(midnight) !== this.#lifecycle) return midnight;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Risk only rises by silence: the first millisecond of another band. */
  #nextBand(from: number, until: number): number {
    const band = this.#bandAt(from);
    if (band === '' || this.#bandAt(until) === band) return Number.POSITIVE_INFINITY;
    let [low, high] = [from, until];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#bandAt(middle) === band) low = middle;
      else high = middle;
    }
    return high;
  }
}
