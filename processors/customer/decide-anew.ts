import { region } from './brand-rules.ts';
import { valueOf } from './feature-values.ts';
import type { FeatureValue } from './features.ts';
import { OpenState } from './open-state.ts';
import type { Plan } from './plan.ts';
import { findReaders, noteMove } from './readers.ts';

/** Somebody of whom nothing is known, whom whoever must be decided anew is held against: most of what is asked, nobody did. */
export interface Nobody {
  /** By slot. */
  readonly values: readonly FeatureValue[];
  /** By place of segment. */
  readonly members: Uint8Array;
}

/**
 * Puts nobody's memberships into `members`, and marks in `suspects` the segments that may be otherwise for a customer whose
 * values these are, all of them known.
 */
export function suspectDifferences({ scratch, readers, rules }: Plan): void {
  const { moved, values, members } = scratch;
  const nobody = (scratch.nobody ??= nobodyOf(rules));
  moved.fill(0);
  for (let slot = 0; slot < moved.length; slot++) {
    const own = values[slot];
    const none = nobody.values[slot];
    if (own === none) continue;
    const thresholds = rules.thresholds[slot] ?? [];
    if (typeof own === 'number' && typeof none === 'number') {
      noteMove(scratch, slot, region(thresholds, none), region(thresholds, own));
    } else {
      moved[slot] = 1;
    }
  }
  findReaders(readers, scratch);
  members.set(nobody.members);
}

function nobodyOf({ features, segments }: Plan['rules']): Nobody {
  const open = new OpenState();
  const values = features.map((feature) => valueOf(feature, open, '', null, 0));
  const members = new Uint8Array(segments.length);
  for (const [place, { matches }] of segments.entries()) members[place] = matches(values, members) ? 1 : 0;
  return { values, members };
}
