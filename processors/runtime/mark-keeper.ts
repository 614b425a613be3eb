import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { StatelessProcessor } from '../core/processor.ts';
import { storeName, type PipelinePorts } from './pipeline-ports.ts';
import type { OwnedInput } from './take-input.ts';

const EVERY_MS = 1_000;
/** How long a process that stops tries: the group's commits say the same. */
const LAST_MS = 2_000;

/**
 * Remembers in the store how far a stateless processor is, so that an input that was created anew, or lost records that were
 * not read, is noticed: the broker forgets its commits together with the topic. Behind by a second, and no batch waits for it.
 */
export class MarkKeeper {
  readonly #processor: StatelessProcessor;
  readonly #ports: Pick<PipelinePorts, 'store' | 'logger'>;
  readonly #stop = new AbortController();

  constructor(processor: StatelessProcessor, ports: Pick<PipelinePorts, 'store' | 'logger'>) {
    this.#processor = processor;
    this.#ports = ports;
  }

  /** Writes once a second what has moved among `inputs`. Rejects when the store refuses for good. */
  async run(inputs: () => readonly OwnedInput[]): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // Cut short by the stop, which is no failure.
      await wait(EVERY_MS, undefined, { ref: false, signal }).catch(() => undefined);
      if (!signal.aborted) await this.#write(inputs());
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  /** A last time, for an input that is about to be given up. */
  async writeLast(input: OwnedInput): Promise<void> {
    await Promise.race([this.#write([input]), wait(LAST_MS, undefined, { ref: false })]);
  }

  async #write(inputs: readonly OwnedInput[]): Promise<void> {
    const moved = inputs.filter((input) => !input.mustTakeOver && input.next > input.markedTo);
    if (moved.length === 0) return;
    const marks = moved.map(({ at, epoch, next, last }) => ({ ...at, epoch, next, last }));
    try {
      await this.#ports.store.inputMarks(storeName(this.#processor)).raise(marks);
    } catch (error) {
      if (!(error instanceof PipelineError) || !error.retriable) throw error;
      // It is tried again with newer ones; until then the commits say how far the group is.
      this.#ports.logger.warn('input marks wait', { processor: this.#processor.name, code: error.code, error });
      return;
    }
    for (const [index, input] of moved.entries()) input.markedTo = marks[index]?.next ?? input.markedTo;
  }
}
