import type { ByteReader, ByteWriter } from '../core/packing.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { OpenState } from './open-state.ts';
import type { Part } from './parts.ts';
import {
  isHolding,
  newSequenceState,
  noteFirst,
  noteNext,
  settleSequence,
  type SequenceState,
} from './sequence-state.ts';
import type { Sequence } from './sequences.ts';

/** By key of the sequence. */
export type SequenceStates = Map<number, SequenceState>;

/** Every sequence that a customer has begun. At most SEQUENCES_MAX of the definitions in force; others go when definitions change. */
export const SEQUENCES: Part<SequenceStates> = {
  id: 61,
  initial: () => new Map(),
  read(reader) {
    const states: SequenceStates = new Map();
    while (!reader.done) {
      const key = reader.uint();
      const due = reader.uint();
      const last = reader.uint() - 1;
      const firsts = readInstants(reader);
      states.set(key, { due: due === 0 ? NEVER : due, last, firsts, nexts: readInstants(reader) });
    }
    return states;
  },
  write(states, writer) {
    for (const [key, { due, last, firsts, nexts }] of states) {
      if (last < 0 && firsts.length === 0 && nexts.length === 0) continue;
      writer.uint(key);
      writer.uint(due === NEVER ? 0 : due);
      writer.uint(last + 1);
      writeInstants(firsts, writer);
      writeInstants(nexts, writer);
    }
  },
  nextDue(states) {
    let due = NEVER;
    for (const state of states.values()) if (state.due < due) due = state.due;
    return due;
  },
};

export function openSequence(states: SequenceStates, { key }: Sequence): SequenceState {
  let state = states.get(key);
  if (state === undefined) {
    state = newSequenceState();
    states.set(key, state);
  }
  return state;
}

/** Whether the sequence is true of the customer at `now`. */
export function sequenceHolds(open: OpenState, sequence: Sequence, now: Instant): boolean {
  const state = open.parts.has(SEQUENCES) ? open.parts.get(SEQUENCES).get(sequence.key) : undefined;
  return state !== undefined && isHolding(state, sequence, now);
}

/** Takes in what another customer's state knows; one whole function of both, whoever is merged into whom. */
export function mergeSequences(into: SequenceState, other: SequenceState, sequence: Sequence, now: Instant): void {
  if (sequence.isNegative) noteNext(into, sequence, other.last);
  else {
    into.last = Math.max(into.last, other.last);
    into.nexts = into.nexts.filter((next) => next > into.last);
  }
  for (const first of other.firsts) noteFirst(into, sequence, first);
  for (const next of other.nexts) noteNext(into, sequence, next);
  settleSequence(into, sequence, now);
}

/** Newest first: the first as it is, of the others the time to the one before. */
function writeInstants(ats: readonly Instant[], writer: ByteWriter): void {
  writer.uint(ats.length);
  for (let index = 0; index < ats.length; index++) {
    const at = ats[index] ?? 0;
    writer.uint(index === 0 ? at : (ats[index - 1] ?? 0) - at);
  }
}

function readInstants(reader: ByteReader): Instant[] {
  const ats: Instant[] = [];
  let at = 0;
  for (let left = reader.uint(); left > 0; left--) {
    at = ats.length === 0 ? reader.uint() : at - reader.uint();
    ats.push(at);
  }
  return ats;
}
