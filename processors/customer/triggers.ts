import { TRIGGERS, type TriggerName } from '../core/definitions.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { MergeablePart, OpenParts } from './parts.ts';

/** Those with one cause at a time, of which silence alone fires; in the order in which they are packed: only ever added to. */
export const SILENT_TRIGGERS = TRIGGERS.slice(0, 5) as readonly TriggerName[];
/** Told orders that are remembered: as many as the order book remembers, so no order of the book is told twice. */
export const TOLD_ORDERS_MAX = 64;

/** A trigger of which there is one cause at a time, known by when it happened. */
export interface SilentTrigger {
  /** The newest cause that was told; −1: none. None before it is told any more. */
  toldAt: Instant;
  /** It was fired, and nothing has made it moot since. */
  stands: boolean;
  /** When the cause at hand fires, if nothing happens. */
  dueAt: Instant;
}

/** The highest number of a measure that was reached and told. */
export interface Milestone {
  /** A place in MEASURES. */
  readonly measure: number;
  readonly value: number;
}

/** What is told and what is due of a customer. Everything else follows from what is kept of it anyway. */
export interface Triggers {
  /** The first interaction that a person made; −1: none, or not asked for. */
  startedAt: Instant;
  /** Until then: how many interactions machines made, such as opens of mail, since somebody asked. */
  machineMade: number;
  /** By SILENT_TRIGGERS. */
  readonly silent: readonly SilentTrigger[];
  /** When the orders were placed after which it was told; oldest first. */
  toldOrders: Instant[];
  /** When it is told of the next order. */
  orderDueAt: Instant;
  milestones: Milestone[];
}

// Flags: three for each silent trigger, then these.
const TOLD = 1;
const STANDS = 2;
const DUE = 4;
const FLAGS_EACH = 3;
/** Stands first in the packed form, with other flags. */
export const HAS_STARTED = 1 << 15;
const HAS_ORDER_DUE = 1 << 16;
const HAS_TOLD_ORDERS = 1 << 17;
const HAS_MILESTONES = 1 << 18;
const HAS_MACHINE_MADE = 1 << 19;

/** Each time is packed as what it is after the one before. */
export const TRIGGERS_PART: MergeablePart<Triggers> = {
  id: 70,

  initial: () => ({
    startedAt: -1,
    machineMade: 0,
    silent: SILENT_TRIGGERS.map(() => ({ toldAt: -1, stands: false, dueAt: NEVER })),
    toldOrders: [],
    orderDueAt: NEVER,
    milestones: [],
  }),

  nextDue({ silent, orderDueAt }) {
    let due = orderDueAt;
    for (const { dueAt } of silent) if (dueAt < due) due = dueAt;
    return due;
  },

  write(triggers, writer) {
    const flags = flagsOf(triggers);
    if (flags === 0) return;
    const { startedAt, machineMade, silent, toldOrders, orderDueAt, milestones } = triggers;
    writer.uint(flags);
    let before = 0;
    if (machineMade > 0) writer.uint(machineMade);
    if (startedAt >= 0) before = writeTime(startedAt, before, writer);
    for (const { toldAt, dueAt } of silent) {
      if (toldAt >= 0) before = writeTime(toldAt, before, writer);
      if (dueAt !== NEVER) before = writeTime(dueAt, before, writer);
    }
    if (orderDueAt !== NEVER) before = writeTime(orderDueAt, before, writer);
    if (toldOrders.length > 0) {
      writer.uint(toldOrders.length);
      for (const at of toldOrders) before = writeTime(at, before, writer);
    }
    if (milestones.length === 0) return;
    writer.uint(milestones.length);
    for (const { measure, value } of milestones) {
      writer.byte(measure);
      writer.uint(value);
    }
  },

  read(reader) {
    const triggers = TRIGGERS_PART.initial();
    const flags = reader.uint();
    let before = 0;
    if ((flags & HAS_MACHINE_MADE) !== 0) triggers.machineMade = reader.uint();
    if ((flags & HAS_STARTED) !== 0) before = triggers.startedAt = readTime(before, reader);
    for (const [place, trigger] of triggers.silent.entries()) {
      const own = flags >> (FLAGS_EACH * place);
      trigger.stands = (own & STANDS) !== 0;
      if ((own & TOLD) !== 0) before = trigger.toldAt = readTime(before, reader);
      if ((own & DUE) !== 0) before = trigger.dueAt = readTime(before, reader);
    }
    if ((flags & HAS_ORDER_DUE) !== 0) before = triggers.orderDueAt = readTime(before, reader);
    if ((flags & HAS_TOLD_ORDERS) !== 0) {
      for (let left = reader.uint(); left > 0; left--) triggers.toldOrders.push((before = readTime(before, reader)));
    }
    if ((flags & HAS_MILESTONES) !== 0) {
      for (let left = reader.uint(); left > 0; left--) {
        triggers.milestones.push({ measure: reader.byte(), value: reader.uint() });
      }
    }
    return triggers;
  },

  /** What was told of either is told of both. What is due is found anew; until then the earlier deadline wakes it. */
  merge(into, from) {
    if (from.startedAt >= 0)
      into.startedAt = into.startedAt < 0 ? from.startedAt : Math.min(into.startedAt, from.startedAt);
    into.machineMade = into.startedAt < 0 ? into.machineMade + from.machineMade : 0;
    for (const [place, trigger] of into.silent.entries()) {
      const other = from.silent[place];
      if (other === undefined) continue;
      // Of the same cause both may have been told, and only one of them learnt that it is moot.
      if (other.toldAt === trigger.toldAt) trigger.stands &&= other.stands;
      else if (other.toldAt > trigger.toldAt) trigger.stands = other.stands;
      trigger.toldAt = Math.max(trigger.toldAt, other.toldAt);
      trigger.dueAt = Math.min(trigger.dueAt, other.dueAt);
    }
    for (const at of from.toldOrders) noteTold(into, at);
    into.orderDueAt = Math.min(into.orderDueAt, from.orderDueAt);
    for (const { measure, value } of from.milestones) {
      setMilestone(into, measure, Math.max(milestoneOf(into, measure), value));
    }
  },
};

/** Remembers that it was told of an order placed then. */
export function noteTold({ toldOrders }: Triggers, at: Instant): void {
  let place = toldOrders.length;
  while (place > 0 && (toldOrders[place - 1] ?? 0) > at) place -= 1;
  if (toldOrders[place - 1] === at) return;
  toldOrders.splice(place, 0, at);
  if (toldOrders.length > TOLD_ORDERS_MAX) toldOrders.shift();
}

export function forgetTold({ toldOrders }: Triggers, at: Instant): void {
  const place = toldOrders.indexOf(at);
  if (place >= 0) toldOrders.splice(place, 1);
}

/** The highest number of a measure that was told; 0: none. */
export function milestoneOf({ milestones }: Triggers, measure: number): number {
  for (const each of milestones) if (each.measure === measure) return each.value;
  return 0;
}

export function setMilestone(triggers: Triggers, measure: number, value: number): void {
  if (milestoneOf(triggers, measure) === value) return;
  const others = triggers.milestones.filter((each) => each.measure !== measure);
  triggers.milestones = value === 0 ? others : [...others, { measure, value }];
}

/** Part of a customer left for another identifier: what was told before stays told. */
export function keepTold(parts: OpenParts, before: OpenParts): void {
  if (!before.has(TRIGGERS_PART)) return;
  const { startedAt, machineMade, toldOrders } = parts.get(TRIGGERS_PART);
  const kept = { ...before.get(TRIGGERS_PART), startedAt, machineMade };
  // An order that both placed was told as the earlier one; what is left may know it by its later time.
  for (const at of toldOrders) noteTold(kept, at);
  parts.put(TRIGGERS_PART, kept);
}

function flagsOf({ startedAt, machineMade, silent, toldOrders, orderDueAt, milestones }: Triggers): number {
  let flags =
    (startedAt < 0 ? 0 : HAS_STARTED) |
    (machineMade === 0 ? 0 : HAS_MACHINE_MADE) |
    (orderDueAt === NEVER ? 0 : HAS_ORDER_DUE) |
    (toldOrders.length === 0 ? 0 : HAS_TOLD_ORDERS) |
    (milestones.length === 0 ? 0 : HAS_MILESTONES);
  for (let place = 0; place < silent.length; place++) {
    const trigger = silent[place];
    if (trigger === undefined) continue;
    const own = (trigger.toldAt < 0 ? 0 : TOLD) | (trigger.stands ? STANDS : 0) | (trigger.dueAt === NEVER ? 0 : DUE);
    flags |= own << (FLAGS_EACH * place);
  }
  return flags;
}

function writeTime(at: Instant, before: Instant, writer: ByteWriter): Instant {
  writer.int(at - before);
  return at;
}

function readTime(before: Instant, reader: ByteReader): Instant {
  return before + reader.int();
}
