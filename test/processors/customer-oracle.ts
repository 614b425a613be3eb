import type { Interaction } from '../../schemas/types.ts';
import type { MeasureDefinition, RatioDefinition } from '../../processors/core/definitions.ts';
import { MEASURES, RATIOS, WINDOWS } from '../../processors/customer/features.ts';
import { finds, type Document } from '../harness/rule-interpreter.ts';
import type { MembershipLine } from './customer-fixture.ts';

/**
 * The customer processor a second time, from the contract alone and without a thought for speed: it keeps every event, adds
 * them all up again at every instant, and lets time pass through every instant at which anything could change.
 * Streams of fewer than 64 events and orders of one currency; no churn.
 */
export interface Happening {
  /** Record time. */
  readonly at: number;
  readonly interaction: Interaction;
}

interface Folded {
  /** The time it is kept under. */
  readonly at: number;
  /** The document's clock when it came. */
  readonly cameAt: number;
  readonly interaction: Interaction;
}

interface Contribution {
  readonly measure: string;
  readonly at: number;
  readonly amount: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

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
  PAGE_VIEW: 'page_views',
  CART_ADD: 'cart_adds',
  MESSAGE_DELIVERED: 'messages_delivered',
  MESSAGE_CLICKED: 'clicks',
};

export interface OracleRun {
  readonly outcomes: string[];
  readonly memberships: MembershipLine[];
  /** The view at the end. */
  readonly view: Document;
}

/** What a brand's owner defined beside segments. */
export interface OwnDefinitions {
  readonly measures?: readonly MeasureDefinition[];
  readonly ratios?: readonly RatioDefinition[];
}

export function runOracle(
  segments: Readonly<Record<string, Document>>,
  happenings: readonly Happening[],
  until: number,
  { measures = [], ratios = [] }: OwnDefinitions = {},
): OracleRun {
  const outcomes: string[] = [];
  const memberships: MembershipLine[] = [];
  const folded: Folded[] = [];
  const applied: { id: string; at: number }[] = [];
  let members: string[] = [];
  let clock = 0;

  const evaluate = (now: number, cause: string): void => {
    const inside: string[] = [];
    const view = viewAt(folded, now, measures, ratios);
    // Written in an order in which a segment comes after those it names.
    for (const [id, where] of Object.entries(segments)) {
      if (!counts(where) && finds({ ...view, segments: inside }, asked(where, folded, now))) inside.push(id);
    }
    // None of those that count segments is counted.
    const counted = [...inside];
    for (const [id, where] of Object.entries(segments)) {
      if (counts(where) && finds({ ...view, segments: counted }, asked(where, folded, now))) inside.push(id);
    }
    const now_ = [...inside].sort();
    const ids = [...new Set([...members, ...now_])].sort();
    const changes = ids.flatMap((id) => {
      if (members.includes(id) === now_.includes(id)) return [];
      return [(members.includes(id) ? '-' : '+') + id];
    });
    members = now_;
    if (changes.length > 0) memberships.push({ at: now, cause, changes, members: now_ });
  };
  const pass = (to: number): void => {
    if (folded.length === 0) return;
    for (const instant of instantsBetween(folded, clock, to, sequencesIn(segments))) evaluate(instant, 'TIME');
  };

  for (const { at, interaction } of happenings) {
    const now = Math.max(at, clock);
    pass(now);
    clock = now;
    const outcome = outcomeOf(interaction, now, folded, applied);
    outcomes.push(outcome);
    if (outcome !== 'apply' && outcome !== 'beyond_horizon') continue;
    applied.push({ id: interaction.eventId, at: now });
    folded.push({ at: Math.min(interaction.occurredAt, now), cameAt: now, interaction });
    evaluate(now, 'EVENT');
  }
  pass(until);
  return { outcomes, memberships, view: { ...viewAt(folded, until, measures, ratios), segments: members } };
}

interface WrittenSequence {
  readonly first: Document;
  readonly then?: Document;
  readonly thenNot?: Document;
  readonly within: string;
  readonly for?: string;
}

/** `3d`, `12h` or `30m` in milliseconds; without end when there is none. */
function spanOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  return Number.parseInt(text, 10) * ({ m: MINUTE, h: HOUR, d: DAY }[text.at(-1) ?? ''] ?? NaN);
}

/** The rule with each `$sequence` put into words that find() knows: everybody or nobody. */
function asked<Part>(part: Part, folded: readonly Folded[], now: number): Part {
  if (Array.isArray(part)) return part.map((each: unknown) => asked(each, folded, now)) as Part;
  if (typeof part !== 'object' || part === null) return part;
  const { $sequence, ...others } = part as Readonly<Record<string, unknown>>;
  const entries = Object.entries(others).map(([name, each]) => [name, asked(each, folded, now)]);
  if ($sequence === undefined) return Object.fromEntries(entries) as Part;
  const isTrue = holds($sequence as WrittenSequence, folded, now);
  const $and = [Object.fromEntries(entries), isTrue ? {} : { $nor: [{}] }];
  return { $and } as Part;
}

function holds(sequence: WrittenSequence, folded: readonly Folded[], now: number): boolean {
  const [within, stay] = [spanOf(sequence.within), spanOf(sequence.for)];
  const timesOf = (where: Document): number[] =>
    folded.filter(({ interaction }) => finds(withoutNulls(interaction), where)).map(({ at }) => at);
  const firsts = timesOf(sequence.first);
  const nexts = timesOf(sequence.then ?? sequence.thenNot ?? {});
  if (sequence.then === undefined) {
    return firsts.some((a) => a + within <= now && now < a + within + stay && !nexts.some((b) => b > a));
  }
  return nexts.some((b) => now < b + stay && firsts.some((a) => a < b && b <= a + within));
}

function sequencesIn(segments: Readonly<Record<string, Document>>): WrittenSequence[] {
  const found: WrittenSequence[] = [];
  JSON.stringify(segments, (name, value: unknown) => {
    if (name === '$sequence') found.push(value as WrittenSequence);
    return value;
  });
  return found;
}

/** A rule that asks about segments without naming them. */
function counts(where: Document): boolean {
  const text = JSON.stringify(where);
  return text.includes('$size') || text.includes('$elemMatch');
}

function outcomeOf(
  { eventId, type, order, occurredAt }: Interaction,
  now: number,
  folded: readonly { interaction: Interaction }[],
  applied: readonly { id: string; at: number }[],
): string {
  if (applied.slice(-64).some(({ id, at }) => id === eventId && now - at < DAY)) return 'duplicate_event';
  const isRepeated = folded.some(
    (each) => each.interaction.type === type && each.interaction.order?.orderId === order?.orderId,
  );
  if (type === 'ORDER_PLACED' && isRepeated) return 'duplicate_order';
  return Math.floor(Math.min(occurredAt, now) / DAY) < Math.floor(now / DAY) - 365 ? 'beyond_horizon' : 'apply';
}

function contributionsOf(folded: readonly Folded[]): Contribution[] {
  const cancelled = new Set(
    folded.flatMap(({ interaction: { type, order } }) => (type === 'ORDER_CANCELLED' ? [order?.orderId] : [])),
  );
  const begun = sessionsOf(folded).map(({ at }) => ({ measure: 'sessions', at, amount: 1 }));
  const rest = folded.flatMap(({ at, interaction: { type, order } }) => {
    const own: Contribution[] = [];
    const add = (measure: string, amount = 1): void => void own.push({ measure, at, amount });
    if (!['MESSAGE_DELIVERED', 'IDENTIFIED'].includes(type)) add('interactions');
    const counted = COUNTED[type];
    if (counted !== undefined) add(counted);
    const isCounted = !cancelled.has(order?.orderId);
    if (type === 'ORDER_PLACED' && isCounted) {
      add('orders');
      add('revenue', order?.amountMinor ?? 0);
    }
    if (type === 'ORDER_REFUNDED') {
      add('refunds');
      if (isCounted) add('revenue', -(order?.amountMinor ?? 0));
    }
    return own;
  });
  return [...rest, ...begun];
}

/** Everything on the site that came less than a day late, divided where 30 minutes are between one and the next. */
function sessionsOf(folded: readonly Folded[]): { at: number; isEngaged: boolean }[] {
  const visits = folded
    .filter(({ interaction: { type } }) => ['PAGE_VIEW', 'CART_ADD', 'ORDER_PLACED'].includes(type))
    .filter(({ at, cameAt }) => cameAt - at < DAY)
    .sort((a, b) => a.at - b.at);
  const sessions: Folded[][] = [];
  for (const each of visits) {
    const open = sessions.at(-1);
    if (each.at - (open?.at(-1)?.at ?? -Infinity) < 30 * MINUTE) open?.push(each);
    else sessions.push([each]);
  }
  return sessions.map((session) => {
    const [at, endAt] = [session[0]?.at ?? 0, session.at(-1)?.at ?? 0];
    const views = session.filter(({ interaction: { type } }) => type === 'PAGE_VIEW').length;
    return { at, isEngaged: endAt - at > 10_000 || views >= 2 || views < session.length };
  });
}

function visitsOf(folded: readonly Folded[]): { visits?: Document } {
  const onSite = folded.filter(({ interaction: { type } }) => ['PAGE_VIEW', 'CART_ADD', 'ORDER_PLACED'].includes(type));
  if (onSite.length === 0) return {};
  const unmeasuredViews = onSite.filter(({ interaction: { type } }) => type === 'PAGE_VIEW').length;
  const engagedSessions = sessionsOf(folded).filter(({ isEngaged }) => isEngaged).length;
  return { visits: { engagedSessions, measuredViews: 0, visibleMs: 0, longViews: 0, unmeasuredViews } };
}

function viewAt(
  folded: readonly Folded[],
  now: number,
  measures: readonly MeasureDefinition[],
  own: readonly RatioDefinition[],
): Document {
  const traits: Record<string, Record<string, unknown>> = {};
  for (const measure of MEASURES) traits[measure] = Object.fromEntries(WINDOWS.map((window) => [window, 0]));
  const last: Record<string, number> = {};
  for (const { measure, at, amount } of contributionsOf(folded)) {
    const sums = traits[measure] ?? {};
    for (const window of WINDOWS) if (isIn(window, at, now)) sums[window] = Number(sums[window] ?? 0) + amount;
    last[measure] = Math.max(last[measure] ?? 0, at);
  }
  for (const measure of measures) {
    const counted = countedFor(measure, folded);
    traits[measure.id] = Object.fromEntries(
      WINDOWS.flatMap((window) => {
        const value = measuredIn(measure, counted, window, now);
        return value === undefined ? [] : [[window, value]];
      }),
    );
    if (counted.length > 0) last[measure.id] = Math.max(...counted.map(({ at }) => at));
  }
  const ratios: Record<string, Record<string, number>> = {};
  const defined = own.map(({ id, ...sides }) => [id, sides] as const);
  for (const [ratio, { numerator, denominator }] of [...Object.entries(RATIOS), ...defined]) {
    const known = WINDOWS.filter((window) => traits[denominator]?.[window] !== 0);
    if (known.length === 0) continue;
    const quotient = (window: string): number =>
      Number(traits[numerator]?.[window]) / Number(traits[denominator]?.[window]);
    ratios[ratio] = Object.fromEntries(known.map((window) => [window, quotient(window)]));
  }
  const ages = Object.fromEntries(Object.entries(last).map(([measure, at]) => [measure, Math.floor((now - at) / DAY)]));
  return { traits, ages, ratios, attributes: attributesOf(folded), identified: true, ...visitsOf(folded) };
}

function isIn(window: string, at: number, now: number): boolean {
  const [hop, hops] = SPANS[window] ?? [1, Infinity];
  return Math.floor(at / hop) >= Math.floor(now / hop) - hops;
}

interface Counted {
  readonly at: number;
  readonly value: unknown;
}

/** The events that pass a measure's filter and have its value. */
function countedFor({ where, value }: MeasureDefinition, folded: readonly Folded[]): Counted[] {
  return folded.flatMap(({ at, interaction }) => {
    const document = withoutNulls(interaction);
    if (!finds(document, where)) return [];
    const found =
      value === null ? 1 : value.split('.').reduce<unknown>((of, name) => (of as Document)?.[name], document);
    return found === undefined ? [] : [{ at, value: found }];
  });
}

function measuredIn({ of }: MeasureDefinition, counted: readonly Counted[], window: string, now: number): unknown {
  const inside = counted.filter(({ at }) => isIn(window, at, now));
  const numbers = inside.map(({ value }) => Number(value));
  if (of === 'count' || of === 'sum') return numbers.reduce((total, value) => total + value, 0);
  if (of === 'distinct') return new Set(inside.map(({ value }) => value)).size;
  if (inside.length === 0) return undefined;
  if (of !== 'last') return of === 'min' ? Math.min(...numbers) : Math.max(...numbers);
  const latest = Math.max(...counted.map(({ at }) => at));
  const [value] = inside
    .filter(({ at }) => at === latest)
    .map((each) => each.value as string)
    .sort((a, b) => (a > b ? -1 : 1));
  return value;
}

/** An event as filters see it. */
function withoutNulls(value: object): Document {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]: [string, unknown]) => {
      if (each === null) return [];
      return [[name, typeof each === 'object' && !Array.isArray(each) ? withoutNulls(each) : each]];
    }),
  );
}

/** The latest by time; of two at the same millisecond the greater text. */
function attributesOf(folded: readonly Folded[]): Record<string, string> {
  const told = folded
    .filter(({ interaction }) => interaction.type === 'IDENTIFIED')
    .flatMap(({ at, interaction }) =>
      Object.entries(interaction.attributes).map(([name, value]) => ({ at, name, value })),
    )
    .sort((a, b) => a.at - b.at || (a.value < b.value ? -1 : 1));
  return Object.fromEntries(told.map(({ name, value }) => [name, value]));
}

/** Every instant after `from` up to `to` at which a tile leaves a window, an age grows or a sequence's time is over, in order. */
function instantsBetween(
  folded: readonly { at: number }[],
  from: number,
  to: number,
  sequences: readonly WrittenSequence[],
): number[] {
  const instants = new Set<number>();
  for (const { at } of folded) {
    for (const [hop, hops] of Object.values(SPANS)) instants.add((Math.floor(at / hop) + hops + 1) * hop);
    for (const sequence of sequences) {
      const [within, stay] = [spanOf(sequence.within), spanOf(sequence.for)];
      for (const span of [within, stay, within + stay]) instants.add(at + span);
    }
    for (let days = 1; days <= 46; days++) instants.add(at + days * DAY);
  }
  return [...instants].filter((instant) => instant > from && instant <= to).sort((a, b) => a - b);
}
