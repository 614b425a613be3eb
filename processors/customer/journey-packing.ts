import { DAY_MS } from '../core/event-time.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { LIFECYCLES, type Lifecycle, type Stretch } from './lifecycle.ts';
import { STAGES, type Stage } from './stages.ts';

/** A journey without its days. */
export interface JourneyHead {
  /** UTC days, counted from 1970: of the first interaction, and of the last recommendation; −1: none. */
  firstDay: number;
  recommendedDay: number;
  /** As last published; null: never. */
  stage: Stage | null;
  stageSince: Instant;
  lifecycle: Lifecycle | null;
  lifecycleSince: Instant;
}

// The stage and the lifecycle as numbers, 0 for null, in one byte.
const LABEL_MASK = 7;
const LIFECYCLE_SHIFT = 3;
const HAS_RECOMMENDED = 64;
const HAS_EARLIER = 128;

/** Times are packed as what they are after the first day. Nothing is written of a journey that has not begun. */
export function writeJourney(journey: JourneyHead, stretches: readonly Stretch[], writer: ByteWriter): void {
  const { firstDay, recommendedDay, stage, lifecycle } = journey;
  const newest = stretches.at(-1);
  if (newest === undefined && stage === null && lifecycle === null) return;
  const many = stretches.length > 1 || (newest !== undefined && newest.startDay !== firstDay);
  writer.byte(
    (stage === null ? 0 : STAGES.indexOf(stage) + 1) |
      ((lifecycle === null ? 0 : LIFECYCLES.indexOf(lifecycle) + 1) << LIFECYCLE_SHIFT) |
      (recommendedDay < 0 ? 0 : HAS_RECOMMENDED) |
      (many ? HAS_EARLIER : 0),
  );
  writer.uint(firstDay + 1);
  if (stage !== null) writer.int(journey.stageSince - Math.max(0, firstDay) * DAY_MS);
  if (lifecycle !== null) writer.int(journey.lifecycleSince - journey.stageSince);
  if (recommendedDay >= 0) writer.int(recommendedDay - firstDay);
  if (many) writer.uint(stretches.length);
  let before = firstDay;
  for (const { startDay, endDay } of stretches) {
    if (many) writer.uint(startDay - before);
    writer.uint(endDay - startDay);
    before = endDay;
  }
}

/** The stage alone. */
export function readStage(reader: ByteReader): Stage | null {
  return STAGES[(reader.byte() & LABEL_MASK) - 1] ?? null;
}

/** Reads everything but the days into `head`; answers whether more than one stretch of days, from the first on, follows. */
export function readHead(reader: ByteReader, head: JourneyHead): boolean {
  const flags = reader.byte();
  head.firstDay = reader.uint() - 1;
  head.stage = STAGES[(flags & LABEL_MASK) - 1] ?? null;
  head.lifecycle = LIFECYCLES[((flags >> LIFECYCLE_SHIFT) & LABEL_MASK) - 1] ?? null;
  head.stageSince = head.stage === null ? 0 : Math.max(0, head.firstDay) * DAY_MS + reader.int();
  head.lifecycleSince = head.lifecycle === null ? 0 : head.stageSince + reader.int();
  head.recommendedDay = (flags & HAS_RECOMMENDED) === 0 ? -1 : head.firstDay + reader.int();
  return (flags & HAS_EARLIER) !== 0;
}

/** Reads the first and the last day of each stretch behind a head, one after the other, the oldest first. */
export function readDays(reader: ByteReader, { firstDay }: JourneyHead, many: boolean, days: number[]): void {
  days.length = 0;
  let before = firstDay;
  for (let left = many ? reader.uint() : reader.done ? 0 : 1; left > 0; left--) {
    const startDay = before + (many ? reader.uint() : 0);
    before = startDay + reader.uint();
    days.push(startDay, before);
  }
}
