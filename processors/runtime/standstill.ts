import type { TopicPartition } from './ports.ts';
import { elapsedMs } from './stopwatch.ts';

/** How long a partition stands still, while others get on, until nobody else's deadlines wait for it any more. */
export const STANDSTILL_MS = 60_000;
/** Counted at the most between two looks at which another got on: what passed while none was seen to says nothing of one partition. */
const UNSEEN_MS = 10_000;

/** A partition of an input that others wait for, and how much of what they wait for is folded. */
export interface Awaited {
  readonly partition: number;
  /** They wait until everything before this offset is folded. */
  readonly offset: number;
  readonly done: number;
}

interface Seen {
  readonly at: TopicPartition;
  readonly done: number;
  /** For how long it has not got on with what it waits for; null: it waits for nothing, or gets on. */
  readonly stillMs: number | null;
}

/**
 * Tells a partition that stands still by itself from a group that does. A partition does that waits for something it has not
 * got on with for a minute in which others got on: a batch that cannot be read, an error of its own journal. While no other
 * is seen to get on, the store or all members may be away, and everybody waits. To have nothing to do is no sign of life:
 * most partitions of a quiet input have nothing to do while nobody is there.
 */
export class Standstill {
  readonly #elapsedMs: () => number;
  /** By topic and partition. */
  readonly #seen = new Map<string, Seen>();
  /** By topic: when some partition was last seen to get on. */
  readonly #wellMs = new Map<string, number>();

  constructor(elapsed: () => number = elapsedMs) {
    this.#elapsedMs = elapsed;
  }

  /** Those that nobody waits for, until they get on again. */
  get passedBy(): TopicPartition[] {
    return [...this.#seen.values()].filter(({ stillMs }) => isTooLong(stillMs)).map(({ at }) => at);
  }

  /** Looks at all partitions of an input that are waited for; answers those to go on waiting for. */
  look<Each extends Awaited>(topic: string, awaited: readonly Each[]): Each[] {
    const getsOn = ({ partition, done }: Awaited): boolean =>
      done !== (this.#seen.get(`${topic}/${partition}`)?.done ?? done);
    const passedMs = this.#passedMs(topic, awaited.some(getsOn));
    return awaited.filter((each) => {
      const at = { topic, partition: each.partition };
      const name = `${topic}/${each.partition}`;
      const before = this.#seen.get(name)?.stillMs ?? null;
      // At the first look at which it waits, nothing has passed yet.
      const waitedMs = before === null ? 0 : before + passedMs;
      const stillMs = each.done >= each.offset || getsOn(each) ? null : waitedMs;
      this.#seen.set(name, { at, done: each.done, stillMs });
      return !isTooLong(stillMs);
    });
  }

  /** What has passed since some partition was last seen to get on, if one does now. */
  #passedMs(topic: string, isWell: boolean): number {
    const now = this.#elapsedMs();
    const before = this.#wellMs.get(topic) ?? now;
    this.#wellMs.set(topic, isWell ? now : before);
    return isWell ? Math.min(UNSEEN_MS, now - before) : 0;
  }
}

function isTooLong(stillMs: number | null): boolean {
  return stillMs !== null && stillMs >= STANDSTILL_MS;
}
