import type { InputMarks, StoredMark } from '../input-marks.ts';
import type { TopicPartition } from '../ports.ts';

/** The input marks of one processor in this process's memory, with the real ones' refusal to go back. */
export class MemoryInputMarks implements InputMarks {
  readonly #marks = new Map<string, StoredMark>();

  async read(at: TopicPartition): Promise<StoredMark | null> {
    return this.#marks.get(nameOf(at)) ?? null;
  }

  async raise(marks: readonly (TopicPartition & StoredMark)[]): Promise<void> {
    for (const { epoch, next, last, ...at } of marks) {
      const held = this.#marks.get(nameOf(at));
      if (held !== undefined && (held.epoch > epoch || (held.epoch === epoch && held.next >= next))) continue;
      this.#marks.set(nameOf(at), { epoch, next, last: last && { ...last } });
    }
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
