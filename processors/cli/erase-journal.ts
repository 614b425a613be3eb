import { blankBlock } from '../runtime/blank-block.ts';
import { readCommit } from '../runtime/group-commit.ts';
import { unpackOutputs, unpackStates, type BlockOutput } from '../runtime/block.ts';
import { groupName, storeName } from '../runtime/pipeline-ports.ts';
import type { TopicPartition } from '../runtime/ports.ts';
import { newestOf } from '../runtime/take-over.ts';
import type { FoundDocument } from './erase-plan.ts';
import { toldBy } from './erasure-states.ts';
import type { Sought } from './erasure-subjects.ts';
import { isAbout } from './erasure-about.ts';
import { decoded, hasSchema, sourceOf } from './erasure-topics.ts';
import { CUSTOMER, JOURNALED, TOUCHPOINT, type ErasureWorld, type Journaled } from './erasure-world.ts';

/** Documents that are stored as erased. */
export interface Erased {
  readonly customers: readonly FoundDocument[];
  readonly cases: readonly FoundDocument[];
}

export interface BlankedJournal {
  states: number;
  outputs: number;
  /** Outputs that are not known to be acknowledged: a take-over would have to send them. */
  left: number;
}

/**
 * Takes what the journals still hold of customers whose erased documents are stored, on whichever partition: a link, its end or
 * a dead letter lies where it was folded. States older than the documents of their keys can go, since whoever takes the
 * partition over finds the newer one; outputs once they are acknowledged. Blocks are compared with their nonce, so one whose
 * slot was given away meanwhile is left alone.
 */
export async function blankJournals(
  world: ErasureWorld,
  { customers, cases }: Erased,
  sought: Sought,
): Promise<BlankedJournal> {
  const done: BlankedJournal = { states: 0, outputs: 0, left: 0 };
  for (const processor of JOURNALED) {
    const documents = processor === CUSTOMER ? customers : processor === TOUCHPOINT ? cases : [];
    const seqs = new Map(documents.map(({ key, seq }) => [key, seq]));
    for (const { partition } of await world.log.ranges(processor.input)) {
      await blankJournal(world, processor, { topic: processor.input, partition }, seqs, sought, done);
    }
  }
  return done;
}

async function blankJournal(
  world: ErasureWorld,
  processor: Journaled,
  at: TopicPartition,
  seqs: Map<string, number>,
  sought: Sought,
  done: BlankedJournal,
): Promise<void> {
  const { erasures } = world;
  const acknowledged = await acknowledgedTo(world, processor, at);
  for await (const block of erasures.blocks(storeName(processor), at)) {
    await learnSeqs(world, processor, block.states, seqs, sought);
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

/** Of others whose states tell of them, as of one that was parted from them since: how new their documents are. */
async function learnSeqs(
  world: ErasureWorld,
  processor: Journaled,
  states: Buffer,
  seqs: Map<string, number>,
  sought: Sought,
): Promise<void> {
  const others = [];
  for (const { key, state } of unpackStates(states)) {
    if (!seqs.has(key) && toldBy(world, processor, key, state, sought) === 'found') others.push(key);
  }
  if (others.length === 0) return;
  for (const { key, seq } of await world.store.documents(storeName(processor)).load(others)) seqs.set(key, seq);
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
async function acknowledgedTo({ log, store }: ErasureWorld, processor: Journaled, at: TopicPartition): Promise<number> {
  const commit = await readCommit(log, groupName(processor), at);
  const head = newestOf(await store.journal(storeName(processor)).headers(at));
  if (head === null) return -1;
  const isOfHead = commit.epoch === head.epoch && commit.seq <= head.seq;
  return Math.max(head.emittedTo, isOfHead ? commit.seq : -1);
}
