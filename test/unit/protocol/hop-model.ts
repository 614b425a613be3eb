import { Random } from './random.ts';
import { delayed } from './steps.ts';
import type { Steps } from './steps.ts';

/** What can be taken out of the stateless hop, each to show that the model notices. */
export const HOP_BREAKS = [
  'sendsNotAwaited',
  'committedBeforeAcknowledged',
  'onePositionForAllSources',
  'repeatsKept',
  'epochKept',
  'offsetKept',
] as const;
export type HopBreak = (typeof HOP_BREAKS)[number];

const SOURCES = 2;
const TARGETS = 2;
const RECORDS = 14;
const RIVALS = 3;
const CHAOS_STEPS = 500;
const CALM_STEPS = 5_000;
const LOSS = 0.1;
/** How likely each source's log is created anew at some step, once; the loss is then accepted. */
const RENEWAL = 0.002;
const EPOCHS = 2;

interface Sent {
  readonly source: number;
  /** Which of the source's logs it comes from, one after the other: the epoch, as long as each loss raises it. */
  readonly log: number;
  readonly epoch: number;
  /** The input offset, and the place among that record's outputs, suppressed ones counted. */
  readonly n: number;
  readonly index: number;
  readonly target: number;
}

export interface HopRun {
  /** What a reader got wrong; null when nothing. */
  readonly wrong: string | null;
  readonly repeats: number;
  readonly lateArrivals: number;
  /** Logs created anew. */
  readonly renewals: number;
}

interface Hop {
  readonly random: Random;
  readonly broken: HopBreak | null;
  /** Each input record's outputs, by source, log and offset. */
  readonly outputs: readonly (readonly (readonly (readonly Sent[])[])[])[];
  /** By source: which log there is now, how far it is committed, and how far the ones before had been. */
  readonly log: number[];
  readonly committed: number[];
  readonly committedBefore: number[];
  /** The output topic's partitions. */
  readonly delivered: Sent[][];
  readonly late: Steps<void>[];
  lateArrivals: number;
  faults: boolean;
}

/**
 * A processor without state between two topics: sessions of the same group that overlap, die, fail and go back to the
 * committed offset, and parts of their sends that arrive long after; logs that are created anew, with a loss that is
 * accepted while sessions of before still hold a batch; then one last session for each source in peace.
 */
export function runHop(seed: number, broken: HopBreak | null): HopRun {
  const hop = createHop(seed, broken);
  const { random } = hop;
  let sessions: Steps<unknown>[] = [];
  for (let step = 0; step < CHAOS_STEPS; step++) {
    if (sessions.length < RIVALS * SOURCES && random.chance(sessions.length === 0 ? 0.5 : 0.02)) {
      sessions.push(session(hop, random.below(SOURCES)));
    }
    const chosen = random.below(sessions.length);
    if (sessions.length > 0 && random.chance(0.01)) sessions.splice(chosen, 1);
    else if (sessions[chosen]?.next().done === true) sessions.splice(chosen, 1);
    for (let source = 0; source < SOURCES; source++) if (random.chance(RENEWAL)) renew(hop, source);
    stepLate(hop);
  }
  hop.faults = false;
  sessions = Array.from({ length: SOURCES }, (_, source) => session(hop, source));
  for (let step = 0; step < CALM_STEPS && sessions.length > 0; step++) {
    const chosen = random.below(sessions.length);
    if (sessions[chosen]?.next().done === true) sessions.splice(chosen, 1);
    stepLate(hop);
  }
  while (hop.late.length > 0) stepLate(hop);
  const sent = new Set(hop.delivered.flat());
  const repeats = hop.delivered.flat().length - sent.size;
  const renewals = hop.log.reduce((sum, log) => sum + log, 0);
  const wrong = sessions.length > 0 ? 'a last session never finished' : difference(hop);
  return { wrong, repeats, lateArrivals: hop.lateArrivals, renewals };
}

function createHop(seed: number, broken: HopBreak | null): Hop {
  const random = new Random(seed);
  const outputsOf = (source: number, log: number, n: number): Sent[] => {
    const count = random.below(4);
    const epoch = broken === 'epochKept' ? 0 : log;
    const all = Array.from({ length: count }, (_, index) => {
      return { source, log, epoch, n, index, target: random.below(TARGETS) };
    });
    // A suppressed output keeps its index.
    return all.filter(() => !random.chance(0.2));
  };
  return {
    ...{ random, broken, late: [], lateArrivals: 0, faults: true },
    outputs: Array.from({ length: SOURCES }, (_, source) =>
      Array.from({ length: EPOCHS }, (_log, log) =>
        Array.from({ length: RECORDS }, (_offset, n) => outputsOf(source, log, n)),
      ),
    ),
    log: new Array<number>(SOURCES).fill(0),
    committedBefore: new Array<number>(SOURCES).fill(0),
    committed: new Array<number>(SOURCES).fill(0),
    delivered: Array.from({ length: TARGETS }, () => []),
  };
}

/** The log is another one from here on, and an operator accepts that: it is folded from its beginning. */
function renew({ log, committed, committedBefore, broken }: Hop, source: number): void {
  if (log[source] !== 0) return;
  log[source] = 1;
  committedBefore[source] = committed[source] ?? 0;
  if (broken !== 'offsetKept') committed[source] = 0;
}

/** From the committed offset to the end of the input: a batch, its outputs in slices, each acknowledged, the commit. */
function* session(hop: Hop, source: number): Steps<void> {
  const { random, broken } = hop;
  const log = hop.log[source] ?? 0;
  let next = hop.committed[source] ?? 0;
  // A session of before finishes the batch it holds, for it does not know; it is given no other, and its commits are refused.
  while (next < RECORDS && hop.log[source] === log) {
    yield;
    const to = Math.min(next + 1 + random.below(3), RECORDS);
    if (broken === 'committedBeforeAcknowledged' && hop.log[source] === log) hop.committed[source] = to;
    const outputs = (hop.outputs[source]?.[log] ?? []).slice(next, to).flat();
    let acknowledged = true;
    for (let from = 0; from < outputs.length; from += 2) {
      acknowledged = (yield* send(hop, outputs.slice(from, from + 2))) && acknowledged;
      if (!acknowledged && broken !== 'sendsNotAwaited') break;
    }
    yield;
    const isCommitted = acknowledged && hop.log[source] === log && !(hop.faults && random.chance(LOSS));
    if (isCommitted) hop.committed[source] = to;
    // A rival's commit may have taken the committed offset back.
    next = acknowledged ? to : (hop.committed[source] ?? 0);
  }
}

/** One slice. When it fails, the part of each partition may be lost, be there, or arrive at any later time. */
function* send(hop: Hop, slice: readonly Sent[]): Steps<boolean> {
  yield;
  const failed = hop.faults && hop.random.chance(LOSS);
  for (const [target, partition] of hop.delivered.entries()) {
    const part = slice.filter((record) => record.target === target);
    const fate = failed ? hop.random.below(3) : 0;
    if (fate === 0) partition.push(...part);
    if (fate !== 1) continue;
    const arrive = function* (): Steps<void> {
      yield;
      hop.lateArrivals += part.length;
      partition.push(...part);
    };
    hop.late.push(delayed(hop.random, arrive));
  }
  return !failed;
}

function stepLate(hop: Hop): void {
  const chosen = hop.random.below(hop.late.length);
  if (hop.late[chosen]?.next().done === true) hop.late.splice(chosen, 1);
}

/** What a reader keeps that remembers one position for each (partition, source and epoch), against each source's own order. */
function difference(hop: Hop): string | null {
  const { delivered, broken } = hop;
  for (const [target, partition] of delivered.entries()) {
    const last = new Map<string, Sent>();
    const kept: Sent[] = [];
    for (const record of partition) {
      const source = broken === 'onePositionForAllSources' ? '' : `${record.source}@${record.epoch}`;
      const before = last.get(source);
      const beyond =
        before === undefined || record.n > before.n || (record.n === before.n && record.index > before.index);
      if (!beyond && broken !== 'repeatsKept') continue;
      last.set(source, record);
      kept.push(record);
    }
    for (let source = 0; source < SOURCES; source++) {
      for (let log = 0; log <= (hop.log[source] ?? 0); log++) {
        const got = kept.filter((record) => record.source === source && record.log === log);
        const wrong = differenceOf(hop, { source, log, target }, got);
        if (wrong !== null) return `partition ${target}, source ${source}, log ${log}: ${wrong}`;
      }
    }
  }
  return null;
}

/** All of the log there is now; of the one before what was committed, and of the rest no more than comes next. */
function differenceOf(
  { outputs, log: logs, committedBefore }: Hop,
  { source, log, target }: { readonly source: number; readonly log: number; readonly target: number },
  got: readonly Sent[],
): string | null {
  const expected = (outputs[source]?.[log] ?? []).flat().filter((record) => record.target === target);
  const promised = log === logs[source] ? RECORDS : (committedBefore[source] ?? 0);
  const needed = expected.filter(({ n }) => n < promised).length;
  const at = expected.findIndex((record, place) => (place < needed || place < got.length) && got[place] !== record);
  if (at >= 0) return `output ${at} is missing or out of place`;
  return got.length > expected.length ? `${got.length} outputs kept` : null;
}
