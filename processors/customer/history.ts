import { DAY_MS } from '../core/event-time.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { appendChange, unpackChanges, type HistoryChange, type PackedChanges } from './history-packing.ts';
import type { Part } from './parts.ts';
import type { Turn } from './turn.ts';

/**
 * What was published of a customer's memberships, churn risk, stage, lifecycle and loyalty tier: instants, causes, segments and probabilities, without
 * evidence. A change appends a few bytes and unpacks nothing.
 */
export interface History extends PackedChanges {
  /** From this instant on every change is remembered; −1: nothing was ever published. */
  since: Instant;
  /** The probability before the oldest remembered change; −1: none, or none known. */
  churnBefore: number;
}

/** At least so many changes are kept, as far as they are younger than so many days; a cut leaves exactly these. */
export const CHANGES_KEPT = 200;
const AGE_KEPT_MS = 365 * DAY_MS;
/** A cut unpacks everything, so it is made only when so much more has gathered. */
const CHANGES_SLACK = 24;
const AGE_SLACK_MS = 30 * DAY_MS;
/** Hundreds of segments that change at once must not make a customer large: then fewer changes are kept. */
export const HISTORY_BYTES_MAX = 8_192;

const NOTHING: Buffer = Buffer.alloc(0);

export const HISTORY_PART: Part<History> = {
  id: 30,
  initial: () => beginAt(-1, -1),
  read(reader: ByteReader): History {
    const lastAt = reader.uint();
    const since = lastAt - reader.uint();
    const count = reader.uint();
    const churnBefore = reader.byte() === 1 ? reader.double() : -1;
    return { since, lastAt, count, churnBefore, names: reader.bytes(), changes: reader.bytes() };
  },
  write({ since, lastAt, count, churnBefore, names, changes }: History, writer: ByteWriter): void {
    if (since < 0) return;
    writer.uint(lastAt);
    writer.uint(lastAt - since);
    writer.uint(count);
    writer.byte(churnBefore < 0 ? 0 : 1);
    if (churnBefore >= 0) writer.double(churnBefore);
    writer.bytes(names);
    writer.bytes(changes);
  },
  nextDue: () => NEVER,
};

/** Remembers a change that is published at this instant. */
export function remember({ open }: Turn, change: HistoryChange): void {
  const { at } = change;
  const before = open.parts.get(HISTORY_PART);
  const history = before.since < 0 ? beginAt(at, -1) : before;
  appendChange(history, change);
  open.parts.put(HISTORY_PART, cut(history, at));
}

function beginAt(since: Instant, churnBefore: number): History {
  return { since, churnBefore, lastAt: since, count: 0, names: NOTHING, changes: NOTHING };
}

/** The same history, without its oldest changes when it has grown beyond its bounds. */
function cut(history: History, now: Instant): History {
  const isLong = history.count > CHANGES_KEPT + CHANGES_SLACK;
  const isOld = now - history.since > AGE_KEPT_MS + AGE_SLACK_MS;
  if (!isLong && !isOld && bytesOf(history) <= HISTORY_BYTES_MAX) return history;
  const changes = unpackChanges(history, history.since);
  const from = now - AGE_KEPT_MS;
  const old = changes.filter(({ at }) => at < from).length;
  let dropped = Math.max(old, changes.length - CHANGES_KEPT);
  let kept = without(history, changes, dropped, from);
  while (bytesOf(kept) > HISTORY_BYTES_MAX) {
    dropped = Math.ceil((dropped + changes.length) / 2);
    kept = without(history, changes, dropped, from);
  }
  return kept;
}

/** The history without its `dropped` oldest changes, and with nothing said of what was before `from`. */
function without(history: History, changes: readonly HistoryChange[], dropped: number, from: Instant): History {
  const gone = changes.slice(0, dropped);
  const churn = gone.findLast((change) => change.kind === 'churn')?.probability ?? history.churnBefore;
  const kept = beginAt(Math.max(history.since, gone.at(-1)?.at ?? 0, from), churn);
  for (const change of changes.slice(dropped)) appendChange(kept, change);
  return kept;
}

function bytesOf({ names, changes }: History): number {
  return names.length + changes.length;
}
