import { blankBlock } from '../runtime/blank-block.ts';
import { readCommit } from '../runtime/group-commit.ts';
import { unpackOutputs, type BlockOutput } from '../runtime/block.ts';
import { partitionOfKey } from '../runtime/partitioner.ts';
import { groupName, storeName } from '../runtime/pipeline-ports.ts';
import type { TopicPartition } from '../runtime/ports.ts';
import { newestOf } from '../runtime/take-over.ts';
import type { FoundDocument } from './erase-plan.ts';
import type { Sought } from './erasure-subjects.ts';
import { isAbout } from './erasure-about.ts';
import { decoded, hasSchema, sourceOf } from './erasure-topics.ts';
import type { CUSTOMER, ErasureWorld, TOUCHPOINT } from './erasure-world.ts';

export interface BlankedJournal {
  states: number;
  outputs: number;
  /** Outputs that are not known to be acknowledged: a take-over would have to send them. */
  left: number;
}

/**
 * Takes what journals still hold of customers whose erased documents are stored. States older than these can go, since whoever
 * takes the partition over finds the newer one; outputs once they are acknowledged. Blocks are compared with their nonce, so one
 * whose slot was given away meanwhile is left alone.
 */
export async function blankJournal(
  world: ErasureWorld,
  processor: typeof CUSTOMER | typeof TOUCHPOINT,
  documents: readonly FoundDocument[],
  sought: Sought,
): Promise<BlankedJournal> {
  const { log, erasures } = world;
  const seqs = new Map(documents.map(({ key, seq }) => [key, seq]));
  const partitions = (await log.ranges(processor.input)).length;
  const numbers = new Set(documents.map(({ key }) => partitionOfKey(Buffer.from(key), partitions)));
  const done: BlankedJournal = { states: 0, outputs: 0, left: 0 };
  for (const partition of numbers) {
    const at = { topic: processor.input, partition };
    const acknowledged = await acknowledgedTo(world, processor, at);
    for await (const block of erasures.blocks(storeName(processor), at)) {
      const isOfThem = await judgeOutputs(world, block.outputs, sought);
      const isAcknowledged = block.seq <= acknowledged;
      const blanked = blankBlock(
        block,
        (key) => block.seq < (seqs.get(key) ?? -1),
        (output) => {
          const isOurs = isOfThem(output);
          if (isOurs && !isAcknowledged) done.left += 1;
          return isOurs && isAcknowledged;
        },
      );
      if (blanked === null) continue;
      if (!(await erasures.rewrite(storeName(processor), block, blanked))) {
        // Written again meanwhile, by the pipeline or by another erasure: to be looked at once more.
        done.left += 1;
        continue;
      }
      done.states += blanked.statesGone;
      done.outputs += blanked.outputsGone;
    }
  }
  return done;
}

/** Tells which of a block's outputs are about somebody who is sought, once it has learnt the schemas of their values. */
export async function judgeOutputs(
  { codec }: Pick<ErasureWorld, 'codec'>,
  outputs: Buffer,
  sought: Sought,
): Promise<(output: BlockOutput) => boolean> {
  const all = unpackOutputs(outputs).filter((output) => output !== null);
  for (const [source, from] of Map.groupBy(all, sourceOf)) {
    if (!hasSchema(source)) continue;
    await codec.learn(
      source,
      from.map(({ value }) => value),
    );
  }
  return (output) => {
    const source = sourceOf(output);
    return isAbout(sought, source, output.key, decoded(output.value, source, codec));
  };
}

/** Up to which block a take-over would send nothing again: as the head says, or the group's commit. */
async function acknowledgedTo(
  { log, store }: ErasureWorld,
  processor: typeof CUSTOMER | typeof TOUCHPOINT,
  at: TopicPartition,
): Promise<number> {
  const commit = await readCommit(log, groupName(processor), at);
  const head = newestOf(await store.journal(storeName(processor)).headers(at));
  if (head === null) return -1;
  const isOfHead = commit.epoch === head.epoch && commit.seq <= head.seq;
  return Math.max(head.emittedTo, isOfHead ? commit.seq : -1);
}
