import { Random } from './random.ts';
import { delayed } from './steps.ts';
import type { Steps } from './steps.ts';

/** What can be taken out of the stateless hop, each to show that the model notices. */
export const HOP_BREAKS = [
  'sendsNotAwaited',
  'committedBeforeAcknowledged',
  'onePositionForAllSources',
  'repeatsKept',
] as const;
export type HopBreak = (typeof HOP_BREAKS)[number];

const SOURCES = 2;
const TARGETS = 2;
const RECORDS = 14;
const RIVALS = 3;
const CHAOS_STEPS = 500;
const CALM_STEPS = 5_000;
const LOSS = 0.1;

interface Sent {
  readonly source: number;
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
}

interface Hop {
  readonly random: Random;
  readonly broken: HopBreak | null;
  /** Each input record's outputs, by source and offset. */
  readonly outputs: readonly (readonly (readonly Sent[])[])[];
  readonly committed: number[];
  /** The output topic's partitions. */
  readonly delivered: Sent[][];
  readonly late: Steps<void>[];
  lateArrivals: number;
  faults: boolean;
}

/**
 * A processor without state between two topics: sessions of the same group that overlap, die, fail and go back to the
 * committed offset, and parts of their sends that arrive long after; then one last session for each source in peace.
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
  const repeats = hop.delivered.flat().length - hop.outputs.flat(2).length;
  const wrong = sessions.length > 0 ? 'a last session never finished' : difference(hop);
  return { wrong, repeats, lateArrivals: hop.lateArrivals };
}

function createHop(seed: number, broken: HopBreak | null): Hop {
  const random = new Random(seed);
  const outputsOf = (source: number, n: number): Sent[] => {
    const count = random.below(4);
    const all = Array.from({ length: count }, (_, index) => ({ source, n, index, target: random.below(TARGETS) }));
    // A suppressed output keeps its index.
    return all.filter(() => !random.chance(0.2));
  };
  return {
    ...{ random, broken, late: [], lateArrivals: 0, faults: true },
    outputs: Array.from({ length: SOURCES }, (_, source) =>
      Array.from({ length: RECORDS }, (_offset, n) => outputsOf(source, n)),
    ),
    committed: new Array<number>(SOURCES).fill(0),
    delivered: Array.from({ length: TARGETS }, () => []),
  };
}

/** From the committed offset to the end of the input: a batch, its outputs in slices, each acknowledged, the commit. */
function* session(hop: Hop, source: number): Steps<void> {
  const { random, broken } = hop;
  let next = hop.committed[source] ?? 0;
  while (next < RECORDS) {
    yield;
    const to = Math.min(next + 1 + random.below(3), RECORDS);
    if (broken === 'committedBeforeAcknowledged') hop.committed[source] = to;
    const outputs = (hop.outputs[source] ?? []).slice(next, to).flat();
    let acknowledged = true;
    for (let from = 0; from < outputs.length; from += 2) {
      acknowledged = (yield* send(hop, outputs.slice(from, from + 2))) && acknowledged;
      if (!acknowledged && broken !== 'sendsNotAwaited') break;
    }
    yield;
    if (acknowledged && !(hop.faults && random.chance(LOSS))) hop.committed[source] = to;
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

/** What a reader keeps that remembers one position for each (partition, source), against each source's own order. */
function difference({ outputs, delivered, broken }: Hop): string | null {
  for (const [target, partition] of delivered.entries()) {
    const last = new Map<number, Sent>();
    const kept: Sent[] = [];
    for (const record of partition) {
      const source = broken === 'onePositionForAllSources' ? 0 : record.source;
      const before = last.get(source);
      const beyond =
        before === undefined || record.n > before.n || (record.n === before.n && record.index > before.index);
      if (!beyond && broken !== 'repeatsKept') continue;
      last.set(source, record);
      kept.push(record);
    }
    for (const [source, records] of outputs.entries()) {
      const expected = records.flat().filter((record) => record.target === target);
      const got = kept.filter((record) => record.source === source);
      const at = expected.findIndex((record, place) => got[place] !== record);
      if (at >= 0) return `partition ${target}, source ${source}: output ${at} is missing or out of place`;
      if (got.length > expected.length) return `partition ${target}, source ${source}: ${got.length} outputs kept`;
    }
  }
  return null;
}
