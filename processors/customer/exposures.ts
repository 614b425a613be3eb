import { readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { Part } from './parts.ts';

/** How many experiments of one customer are remembered: more than can be defined at a time. */
export const EXPOSURES_MAX = 64;
/** How many events that some metric counts are remembered one by one: the newest. */
export const MATCHES_MAX = 128;

/** The first exposure to an experiment, by the time it happened. */
export interface Exposure {
  readonly experimentId: string;
  at: Instant;
  variant: string;
  /** Another one was to another variant. */
  crossover: boolean;
}

/** What no type has the place of. */
export const FILTERED = 255;

/** Something that happened and that a metric counts. */
export interface Match {
  readonly at: Instant;
  /** A place in INTERACTION_TYPES; FILTERED where a filter let it through. */
  readonly type: number;
  /** Of that filter; 0: none. */
  readonly key: Fingerprint;
}

/** What of a customer experiments are about. Nothing in it depends on the order in which events came. */
export interface Exposures {
  list: Exposure[];
  /** By time, then type, then filter. */
  matches: Match[];
  /** The newest match that is remembered no more; −1: none. */
  forgottenAt: Instant;
}

/** Takes an exposure in; answers whether anything is otherwise. Of two at the same millisecond the lesser name is the first. */
export function expose(exposures: Exposures, experimentId: string, variant: string, at: Instant): boolean {
  const known = exposures.list.find((each) => each.experimentId === experimentId);
  if (known === undefined) {
    exposures.list.push({ experimentId, at, variant, crossover: false });
    return true;
  }
  const isOther = known.variant !== variant;
  const isEarlier = at < known.at || (at === known.at && variant < known.variant);
  if (!isEarlier && (!isOther || known.crossover)) return false;
  known.crossover ||= isOther;
  if (isEarlier) {
    known.at = at;
    known.variant = variant;
  }
  return true;
}

/** Takes a match in, and forgets those before `from` and the oldest of too many. */
export function addMatch(exposures: Exposures, match: Match, from: Instant): void {
  const { matches } = exposures;
  let place = matches.length;
  for (; place > 0; place--) {
    const before = matches[place - 1];
    if (before === undefined || !isAfter(before, match)) break;
  }
  matches.splice(place, 0, match);
  forget(exposures, from);
}

/** What both come to when they are one person's: the same as if all of it had come to one. */
export function mergeExposures(exposures: Exposures, from: Exposures): Exposures {
  for (const { experimentId, variant, at, crossover } of from.list) {
    expose(exposures, experimentId, variant, at);
    const merged = exposures.list.find((each) => each.experimentId === experimentId);
    if (merged !== undefined) merged.crossover ||= crossover;
  }
  exposures.forgottenAt = Math.max(exposures.forgottenAt, from.forgottenAt);
  for (const match of from.matches) addMatch(exposures, match, 0);
  return exposures;
}

function isAfter(one: Match, other: Match): boolean {
  return (one.at - other.at || one.type - other.type || one.key - other.key) > 0;
}

function forget(exposures: Exposures, from: Instant): void {
  const { matches } = exposures;
  const isOld = ({ at }: Match): boolean => at < from;
  for (let oldest = matches[0]; oldest !== undefined; oldest = matches[0]) {
    if (matches.length <= MATCHES_MAX && !isOld(oldest)) return;
    exposures.forgottenAt = Math.max(exposures.forgottenAt, oldest.at);
    matches.shift();
  }
}

export const EXPOSURES: Part<Exposures> = {
  id: 50,
  initial: () => ({ list: [], matches: [], forgottenAt: -1 }),

  read(reader) {
    const exposures: Exposures = { list: [], matches: [], forgottenAt: reader.uint() - 1 };
    for (let left = reader.uint(); left > 0; left--) {
      const experimentId = reader.string();
      const variant = reader.string();
      exposures.list.push({ experimentId, variant, at: reader.uint(), crossover: reader.byte() === 1 });
    }
    let at = 0;
    for (let left = reader.uint(); left > 0; left--) {
      at += reader.uint();
      const type = reader.byte();
      exposures.matches.push({ at, type, key: type === FILTERED ? readFingerprint(reader) : 0 });
    }
    return exposures;
  },

  write({ list, matches, forgottenAt }, writer) {
    if (list.length === 0 && matches.length === 0 && forgottenAt < 0) return;
    writer.uint(forgottenAt + 1);
    writer.uint(list.length);
    for (const { experimentId, variant, at, crossover } of list) {
      writer.string(experimentId);
      writer.string(variant);
      writer.uint(at);
      writer.byte(crossover ? 1 : 0);
    }
    writer.uint(matches.length);
    let before = 0;
    for (const { at, type, key } of matches) {
      writer.uint(at - before);
      writer.byte(type);
      if (type === FILTERED) writeFingerprint(key, writer);
      before = at;
    }
  },

  nextDue: () => NEVER,
};
