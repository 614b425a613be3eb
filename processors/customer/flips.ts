import type { MembershipChange } from '../../schemas/types.ts';
import type { CompiledSegment } from './brand-rules.ts';
import type { Plan } from './plan.ts';

/** One segment entered or left. Of a brand's segments each has one for either, made when it first happens. */
export interface Flip {
  readonly segmentId: string;
  readonly change: Exclude<MembershipChange['change'], 'UNKNOWN'>;
  /** What decided; null: nothing did. */
  readonly segment: CompiledSegment | null;
  /** Its place among the brand's segments; −1: it is none of them. */
  readonly place: number;
}

/** Of the segment at `place`, by its own rule. */
export function flipOf({ flips, rules }: Plan, place: number, isMember: boolean): Flip {
  const index = 2 * place + (isMember ? 1 : 0);
  let flip = flips[index];
  if (flip === undefined) {
    const segment = rules.segments[place] ?? null;
    flip = newFlip(segment?.id ?? '', isMember ? 'ENTERED' : 'EXITED', segment, place);
    flips[index] = flip;
  }
  return flip;
}

/** Out of a segment without a look at its rule, if it still has one. */
export function leaving(segmentId: string): Flip {
  return newFlip(segmentId, 'EXITED', null, -1);
}

/** Most are by id already: segments are evaluated in that order, but for those that others name. */
export function sortFlips(flips: Flip[]): void {
  for (let index = 1; index < flips.length; index++) {
    if ((flips[index - 1]?.segmentId ?? '') < (flips[index]?.segmentId ?? '')) continue;
    flips.sort((a, b) => (a.segmentId < b.segmentId ? -1 : 1));
    return;
  }
}

function newFlip(segmentId: string, change: Flip['change'], segment: CompiledSegment | null, place: number): Flip {
  return { segmentId, change, segment, place };
}
