import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { RecordMark } from './input-marks.ts';
import { anotherLog, type Judgement, type Standing } from './loss.ts';
import type { EventLog, LogRecord, OffsetRange, TopicPartition } from './ports.ts';
import { readRanges } from './read-ranges.ts';

export function recordMark({ offset, timestamp, key, value }: LogRecord): RecordMark {
  return { offset, timestamp, crc: crc32(value ?? '', crc32(key ?? '')) };
}

/** Ends the doubt of a judgement, if there is one, by a look at the log. */
export async function settle(
  at: TopicPartition,
  { standing, doubted }: Judgement,
  log: EventLog,
  range: OffsetRange | undefined,
): Promise<Standing> {
  return doubted === null || (await holds(log, at, doubted, range)) ? standing : anotherLog(at, standing, range);
}

/** Whether the log still holds this very record. Read in a group of its own, of which nothing stays but its name. */
async function holds(
  log: EventLog,
  at: TopicPartition,
  expected: RecordMark,
  range: OffsetRange | undefined,
): Promise<boolean> {
  const { offset } = expected;
  if (range === undefined || offset < range.start || offset >= range.end) return false;
  const group = `kizuna.look.${randomBytes(6).toString('hex')}`;
  let isThere = false;
  const ranges = [{ partition: at.partition, start: offset, end: offset + 1 }];
  await readRanges(log, { topic: at.topic, group, ranges }, async (records) => {
    isThere ||= records.some((record) => {
      const mark = recordMark(record);
      return mark.offset === offset && mark.timestamp === expected.timestamp && mark.crc === expected.crc;
    });
  });
  return isThere;
}
