import type { Processor } from '../core/processor.ts';
import { readCommit } from './group-commit.ts';
import type { Loss } from './loss.ts';
import { ownPartition } from './owned-partition.ts';
import { groupName, storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { TopicPartition } from './ports.ts';
import { examineJournal, newestOf, takeOver } from './take-over.ts';
import { examineInput } from './take-input.ts';

/** How one input partition of a processor stands. */
export interface Finding extends TopicPartition {
  readonly processor: string;
  /** None: it can be gone on with as it is. */
  readonly losses: readonly Loss[];
  /** Where it goes on: as it is, or once the losses are accepted. */
  readonly epoch: number;
  readonly next: number;
}

/** Looks and touches nothing. */
export async function examine(processor: Processor, at: TopicPartition, ports: PipelinePorts): Promise<Finding> {
  const { losses, epoch, next } = await standingOf(processor, at, ports);
  return { processor: processor.name, ...at, losses, epoch, next };
}

/**
 * Lets a processor go on after a loss: from the next record that is there, in the next epoch, so that readers who know the
 * positions of before take nothing new for a repeat. One write for each partition; with a journal it is a compare-and-set
 * that shuts out whoever still believes to own it. Harmless when repeated. Nobody may be a member of the group. Answers what is found afterwards.
 */
export async function acceptLoss(processor: Processor, at: TopicPartition, ports: PipelinePorts): Promise<Finding> {
  const { losses, epoch, next } = await standingOf(processor, at, ports);
  if (losses.length > 0) {
    if (processor.kind === 'stateful') {
      // The claim says it; a loss that somebody else accepted meanwhile is none any more.
      await takeOver(ownPartition(processor, at), ports, () => undefined);
    } else {
      await ports.store.inputMarks(storeName(processor)).raise([{ ...at, epoch, next, last: null }]);
    }
  }
  return examine(processor, at, ports);
}

async function standingOf(
  processor: Processor,
  at: TopicPartition,
  ports: PipelinePorts,
): Promise<Pick<Finding, 'losses' | 'epoch' | 'next'>> {
  if (processor.kind === 'stateless') return examineInput(at, processor, ports);
  const commit = await readCommit(ports.log, groupName(processor), at);
  const headers = await ports.store.journal(storeName(processor)).headers(at);
  return examineJournal(at, newestOf(headers), commit, ports);
}
