import { randomBytes } from 'node:crypto';
import type { DeadLetterReceipts, Receipt } from '../runtime/dead-letter-receipts.ts';
import type { EventLog, OffsetRange } from '../runtime/ports.ts';
import { receiptId } from './dlq-audit.ts';
import { isWanted, type LetterFilter } from './dlq-filter.ts';
import { readLetter, type Letter } from './dlq-letter.ts';
import { readRanges } from '../runtime/read-ranges.ts';

/** A letter and what was done with it. */
export interface FoundLetter {
  readonly id: string;
  readonly letter: Letter;
  readonly receipt: Receipt | undefined;
}

export interface ScanPorts {
  readonly log: EventLog;
  readonly receipts: Pick<DeadLetterReceipts, 'find'>;
  forgetGroup(group: string): Promise<void>;
}

export type OnLetters = (letters: readonly FoundLetter[], alive: () => Promise<void>) => Promise<void> | void;

/**
 * Gives every letter that the filter wants to `onLetters`, once, as the topics stand now: partition by partition in order,
 * whatever the number in bounded memory. Reads in a group that is gone afterwards, and commits nothing.
 */
export async function scanLetters(
  ports: ScanPorts,
  filter: LetterFilter,
  onLetters: OnLetters,
  signal?: AbortSignal,
): Promise<void> {
  const { log, receipts } = ports;
  const recent = new Recent();
  for (const topic of filter.topics) {
    const ranges = narrowToPlaces(await rangesSince(log, topic, filter.since), topic, filter);
    const group = `kizuna.dlq-read.${randomBytes(6).toString('hex')}`;
    const reading = { topic, group, ranges, ...(signal !== undefined && { signal }) };
    let joined = false;
    try {
      await readRanges(log, reading, async (records, at, alive) => {
        joined = true;
        const letters = records
          .map((record) => readLetter(at, record))
          .filter((letter) => isWanted(letter, filter))
          .map((letter) => ({ id: receiptId(letter), letter }))
          .filter(({ id }) => recent.isNew(id));
        if (letters.length === 0) return;
        const done = await receipts.find(letters.map(({ id }) => id));
        await onLetters(
          letters.map(({ id, letter }) => ({ id, letter, receipt: done.get(id) })),
          alive,
        );
      });
    } finally {
      if (joined) await ports.forgetGroup(group);
    }
    if (signal?.aborted === true) return;
  }
}

/** Letters are as old as the records they were, so the first that can be meant is found by its time. */
async function rangesSince(log: EventLog, topic: string, since: number): Promise<OffsetRange[]> {
  const ranges = await log.ranges(topic);
  if (since <= 0) return ranges;
  const starts = new Map((await log.offsetsAt(topic, since)).map(({ partition, offset }) => [partition, offset]));
  return ranges.map((range) => ({ ...range, start: Math.max(range.start, starts.get(range.partition) ?? 0) }));
}

function narrowToPlaces(ranges: readonly OffsetRange[], topic: string, { places }: LetterFilter): OffsetRange[] {
  if (places === null) return [...ranges];
  return ranges.flatMap(({ partition, start, end }) => {
    const offsets = places
      .filter((place) => place.topic === topic && place.partition === partition)
      .map(({ offset }) => offset);
    if (offsets.length === 0) return [];
    return [{ partition, start: Math.max(start, Math.min(...offsets)), end: Math.min(end, Math.max(...offsets) + 1) }];
  });
}

/**
 * The newest ids seen: a processor that was interrupted writes its last letters again, soon after the first time. What
 * comes again after more letters than this would be shown twice, and still redriven once.
 */
class Recent {
  readonly #ids = new Set<string>();

  isNew(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > RECENT_MAX && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }
}

const RECENT_MAX = 50_000;
