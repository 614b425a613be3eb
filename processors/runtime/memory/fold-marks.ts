import type { FoldMarks, MarkedPartition } from '../fold-marks.ts';
import type { TopicPartition } from '../ports.ts';

/** Marks in memory. */
export class MemoryFoldMarks implements FoldMarks {
  readonly #marked = new Map<string, MarkedPartition>();

  async load(group: string, at: TopicPartition): Promise<MarkedPartition | null> {
    return structuredClone(this.#marked.get(nameOf(group, at)) ?? null);
  }

  async store(group: string, at: TopicPartition, marked: MarkedPartition): Promise<void> {
    this.#marked.set(nameOf(group, at), structuredClone(marked));
  }
}

function nameOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group}/${topic}/${partition}`;
}
