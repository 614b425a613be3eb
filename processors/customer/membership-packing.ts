import type { ChangeCause } from '../../schemas/types.ts';
import { ByteWriter } from '../core/packing.ts';
import { PackedValue } from '../core/processor.ts';
import type { Flip } from './flips.ts';
import { packedIds } from './segment-list.ts';
import type { Turn } from './turn.ts';

/**
 * The record of memberships as its Avro, written straight from the flips and the leaves that decided them.
 * Tests read each by the schema (test/harness/published-values.ts); a change of SegmentMembershipsChanged.avsc is a change
 * here.
 */

const writer = new ByteWriter(4096);

/** Places of the symbols in the schema. */
const CAUSES: Readonly<Record<ChangeCause, number>> = {
  ...{ UNKNOWN: 0, EVENT: 1, TIME: 2, DEFINITION: 3, MERGE: 4, ERASURE: 5 },
};
const CHANGES: Readonly<Record<Flip['change'], number>> = { ENTERED: 1, EXITED: 2 };
/** The end of an array. */
const END = 0;

/** `flips`: by id. The members are those of the state. */
export function packMemberships({ state, plan, now, cause }: Turn, flips: readonly Flip[]): PackedValue {
  const { values, members } = plan.scratch;
  writer.reset();
  writer.avroString(state.brandId);
  writer.avroString(state.subject);
  writer.int(now);
  writer.int(CAUSES[cause]);
  writer.avroString(plan.rules.hash);
  writer.int(flips.length);
  for (const { segmentId, change, segment } of flips) {
    writer.avroString(segmentId);
    writer.int(CHANGES[change]);
    if (segment === null) writer.byte(END);
    else segment.packEvidence(values, members, change === 'ENTERED', writer);
  }
  writer.byte(END);
  const { bytes } = packedIds(state.segments);
  writer.raw(bytes, 0, bytes.length);
  return new PackedValue(writer.copy());
}
