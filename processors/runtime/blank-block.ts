import { ByteWriter } from '../core/packing.ts';
import { packOutput, StatesWriter, unpackOutputs, unpackStates, type BlockOutput } from './block.ts';
import type { BlockBodies } from './erasure-store.ts';

/** What a block holds without some states and outputs, and how many those were. */
export interface BlankedBlock extends BlockBodies {
  readonly statesGone: number;
  readonly outputsGone: number;
}

const AS_PACKED = {
  pack(state: Buffer, writer: ByteWriter): void {
    writer.raw(state, 0, state.length);
  },
};

/**
 * Takes states and outputs out of a block of the journal. An output leaves its place, so that positions of the others stay. A
 * state may go once a later block or the document has a newer one of its key, and an output once it is acknowledged: a take-over
 * asks for neither then. Null when there is nothing to take.
 */
export function blankBlock(
  { states, outputs }: BlockBodies,
  isStateGone: (key: string) => boolean,
  isOutputGone: (output: BlockOutput) => boolean,
): BlankedBlock | null {
  const kept = new StatesWriter();
  let statesGone = 0;
  for (const { key, due, state } of unpackStates(states)) {
    if (isStateGone(key)) statesGone += 1;
    else kept.add(key, due, AS_PACKED, state);
  }
  const writer = new ByteWriter(outputs.length + 16);
  let [outputsGone, topic] = [0, ''];
  for (const output of unpackOutputs(outputs)) {
    const isGone = output !== null && isOutputGone(output);
    if (isGone) outputsGone += 1;
    packOutput(writer, isGone ? null : output, topic);
    if (output !== null && !isGone) ({ topic } = output);
  }
  if (statesGone + outputsGone === 0) return null;
  return { states: kept.finish().states, outputs: writer.copy(), statesGone, outputsGone };
}
