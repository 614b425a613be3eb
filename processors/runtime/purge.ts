import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { StatefulMember } from './consume-stateful.ts';
import { Failure, type Consumption } from './consumption.ts';
import { markEveryMs, purgeLateMs, withMark } from './fold-marks.ts';
import { mayBeginAt, readReaders } from './purge-bound.ts';
import { readCommits } from './group-commit.ts';
import { groupName, type PipelinePorts } from './pipeline-ports.ts';
import type { CommittedOffset, OffsetRange } from './ports.ts';
import { sourceOf } from './position.ts';

export interface PurgeOptions {
  /** How long ago a record must have been folded by every group; null: nothing is deleted, only marked. */
  readonly afterMs: number | null;
  /** The real clock, also where the pipeline's own is a simulated one. */
  readonly now?: () => Instant;
}

const PASS_EVERY_MS = 60_000;
const PASS_EVERY_LEAST_MS = 250;
/** For how long marks are kept when nothing is deleted, so that it can be done by hand. */
const MARKED_MS = 7 * 24 * 60 * 60 * 1000;

/** Where one owned partition stands: everything below `next` is durable. */
interface Standing {
  readonly partition: number;
  readonly next: number;
  readonly source: string;
}

/**
 * Deletes from internal topics what every group that the catalog names as reader had durably folded `afterMs` ago, as often
 * as once a minute, beside the batches. Time counts from when a record was folded, not from its timestamp: history is old
 * when it is loaded, and a database restored to a state before it was loaded needs it again. Each reader marks where it
 * stands on the partitions it owns; the last reader of the catalog deletes.
 */
export class Purge {
  readonly #members: readonly Consumption[];
  readonly #ports: PipelinePorts;
  readonly #afterMs: number;
  readonly #deletes: boolean;
  readonly #now: () => Instant;
  readonly #stop = new AbortController();
  readonly #failure = new Failure();
  #running: Promise<void> | null = null;

  constructor(members: readonly Consumption[], ports: PipelinePorts, { afterMs, now = Date.now }: PurgeOptions) {
    this.#members = members;
    this.#ports = ports;
    this.#afterMs = afterMs ?? MARKED_MS;
    this.#deletes = afterMs !== null;
    this.#now = now;
  }

  /** Rejects with a bug. What the world refuses only leaves more in the log: processing goes on. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      this.#failure.report(error);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const everyMs = Math.min(PASS_EVERY_MS, Math.max(PASS_EVERY_LEAST_MS, markEveryMs(this.#afterMs)));
    for (;;) {
      // Cut short by stop(), which is no failure.
      await wait(everyMs, undefined, { ref: false, signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      await this.pass();
    }
  }

  /** One look at every partition that this process owns. */
  async pass(): Promise<void> {
    for (const member of this.#members) {
      for (const topic of member.processor.inputs) {
        const readers = this.#ports.topics.purgedBehind(topic);
        if (!readers.includes(groupName(member.processor))) continue;
        try {
          await this.#passTopic(member, topic, readers);
        } catch (error) {
          if (!(error instanceof PipelineError)) throw error;
          this.#ports.logger.warn('purge waits', { topic, code: error.code, error });
        }
      }
    }
  }

  async #passTopic(member: Consumption, topic: string, readers: readonly string[]): Promise<void> {
    const group = groupName(member.processor);
    const isPurger = this.#deletes && group === readers.at(-1);
    const ranges = await this.#ports.log.ranges(topic);
    const commits = isPurger ? await readCommits(this.#ports.log, readers, topic) : new Map<string, never>();
    const pass = { keptRecords: 0, lateMs: 0 };
    let refusal: unknown;
    for (const standing of await standings(member, topic)) {
      if (this.#stop.signal.aborted) return;
      const range = ranges.find((each) => each.partition === standing.partition);
      if (range === undefined) continue;
      const own = await this.#mark(group, topic, standing, range.start);
      if (!isPurger) continue;
      let { start } = range;
      try {
        start = await this.#purge(topic, range, standing.next, commits);
      } catch (error) {
        // The other partitions are told all the same: what is late must show.
        refusal ??= error;
      }
      pass.keptRecords += Math.max(0, standing.next - start);
      pass.lateMs = Math.max(pass.lateMs, purgeLateMs(own, start, this.#now(), this.#afterMs));
    }
    if (isPurger) this.#ports.meter.purgeLeft(topic, pass.keptRecords, pass.lateMs / 1000);
    if (refusal !== undefined) throw refusal as Error;
  }

  async #mark(group: string, topic: string, { partition, next, source }: Standing, start: number) {
    const { marks } = this.#ports.store;
    const at = { topic, partition };
    const before = await marks.load(group, at);
    const after = withMark(before, source, { at: this.#now(), next }, start, this.#afterMs);
    if (after !== before) await marks.store(group, at, after);
    return after;
  }

  /** Deletes what may go of one partition; answers where it begins then. */
  async #purge(
    topic: string,
    range: OffsetRange,
    next: number,
    commits: ReadonlyMap<string, readonly CommittedOffset[]>,
  ): Promise<number> {
    const { partition, start } = range;
    const seen = await readReaders(this.#ports.store.marks, { topic, partition }, commits);
    const bound = mayBeginAt(seen, range.end, this.#now(), this.#afterMs);
    // Created anew: what is there now was folded by nobody.
    if (next > range.end) return start;
    // Marks never run ahead of what is folded; were they damaged, nothing unfolded would go all the same.
    const before = Math.min(bound ?? 0, next);
    if (before <= start) return start;
    await this.#ports.log.deleteBefore(topic, [{ partition, offset: before }]);
    this.#ports.meter.purged(topic, before - start);
    this.#ports.logger.debug('purged', { topic, partition, from: start, to: before });
    return before;
  }
}

async function standings(member: Consumption, topic: string): Promise<Standing[]> {
  const group = groupName(member.processor);
  if (member instanceof StatefulMember) {
    // Before the first take-over it is not known what is folded.
    return member
      .partitions()
      .filter(({ at, head }) => at.topic === topic && head >= 0)
      .map(({ at, next, epoch }) => ({ partition: at.partition, next, source: sourceOf(group, epoch, at) }));
  }
  return (await member.positions())
    .filter((position) => position.topic === topic)
    .map(({ partition, epoch, next }) => ({ partition, next, source: sourceOf(group, epoch, { topic, partition }) }));
}
