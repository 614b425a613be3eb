import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toJson } from '../../schemas/json.ts';
import type { RecordName } from '../../schemas/types.ts';
import { topicOf } from '../../topics/catalog.ts';
import { isRepeat, parsePosition } from '../../processors/runtime/position.ts';
import type { Position } from '../../processors/runtime/ports.ts';
import type { PipelinePlace } from './pipeline-place.ts';
import { readTopic, type TopicRecord } from './topic-records.ts';

const TRAITS = 'customer-traits.v1';
const SHOWN = 3;

/** How the records of one topic compare with the lines of a replay of the same input; empty lists: they are the same. */
export interface Comparison {
  readonly records: number;
  /** Records whose position had been read before. */
  readonly repeats: number;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/**
 * Reads a topic as a careful consumer does - every record decoded by its schema, repeats dropped by position - and compares
 * what is left with what a replay wrote, as a set, positions aside. `heldBack`: keys whose traits the pipeline still holds
 * back, where a replay publishes them at its end, `until`.
 */
export async function comparePublished(
  place: PipelinePlace,
  topic: string,
  replayed: string,
  { heldBack, until }: { readonly heldBack: ReadonlySet<string>; readonly until: number },
): Promise<Comparison> {
  const file = join(replayed, `${topic}.ndjson`);
  const expected = new Map<string, number>();
  for await (const line of linesOf(file)) {
    const mark = markOf(withoutPosition(line));
    expected.set(mark, (expected.get(mark) ?? 0) + 1);
  }
  if (topic === TRAITS) await forgetHeldBack(file, heldBack, until, expected);
  const unexpected: string[] = [];
  const { records, repeats } = await publishedLines(place, topic, (line) => {
    const mark = markOf(line);
    const left = expected.get(mark) ?? 0;
    if (left > 0) expected.set(mark, left - 1);
    else if (unexpected.length < SHOWN) unexpected.push(line);
  });
  const missing: string[] = [];
  for await (const line of linesOf(file)) {
    const mark = markOf(withoutPosition(line));
    const left = expected.get(mark) ?? 0;
    if (left === 0 || missing.length === SHOWN) continue;
    missing.push(line);
    expected.set(mark, left - 1);
  }
  return { records, repeats, missing, unexpected };
}

/** Each record of a topic once, as a replay would write it, without its position. */
async function publishedLines(
  place: PipelinePlace,
  topic: string,
  onLine: (line: string) => void,
): Promise<{ records: number; repeats: number }> {
  const schema = topicOf(topic).schema as RecordName;
  const unique = uniqueRecords(topic);
  let lines = 0;
  await readTopic(place, topic, async (records) => {
    await place.codec.learn(
      topic,
      records.map(({ value }) => value),
    );
    for (const { timestamp, key, value } of unique.keep(records)) {
      const decoded = value === null ? null : place.codec.decode(topic, value);
      if (typeof decoded === 'string') throw new Error(`${topic}: a record is ${decoded}`);
      const json = decoded === null ? null : toJson(schema, decoded);
      onLine(JSON.stringify({ key: key?.toString() ?? null, value: json, timestamp }).slice(0, -1));
      lines += 1;
    }
  });
  return { records: lines, repeats: unique.repeats };
}

/** What a careful consumer keeps: one last position for each partition and source. */
export interface UniqueRecords {
  /** How many were dropped so far. */
  readonly repeats: number;
  keep(records: readonly TopicRecord[]): TopicRecord[];
}

export function uniqueRecords(topic: string): UniqueRecords {
  const last = new Map<string, Position>();
  let repeats = 0;
  return {
    get repeats() {
      return repeats;
    },
    keep: (records) =>
      records.filter(({ partition, headers }) => {
        const position = parsePosition(headers['position']);
        if (position === null) throw new Error(`${topic}: a record without a position`);
        const source = `${partition} ${position.source}`;
        const isNew = !isRepeat(last.get(source), position);
        if (isNew) last.set(source, position);
        else repeats += 1;
        return isNew;
      }),
  };
}

/** The last line that a replay wrote for each of these keys, at its end. */
async function forgetHeldBack(
  file: string,
  keys: ReadonlySet<string>,
  until: number,
  expected: Map<string, number>,
): Promise<void> {
  const last = new Map<string, string>();
  for await (const line of linesOf(file)) {
    const key = keyOf(line);
    if (keys.has(key)) last.set(key, line);
  }
  for (const key of keys) {
    const line = last.get(key) ?? '';
    if (!line.includes(`,"timestamp":${until},"position":`)) throw new Error(`the replay held nothing back of ${key}`);
    const mark = markOf(withoutPosition(line));
    expected.set(mark, (expected.get(mark) ?? 0) - 1);
  }
}

/** The lines of a file of ndjson. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) yield line;
}

function withoutPosition(line: string): string {
  return line.slice(0, line.lastIndexOf(',"position":'));
}

function keyOf(line: string): string {
  return (JSON.parse(`${line.slice(0, line.indexOf('"', 8) + 1)}}`) as { key: string }).key;
}

/** Hundreds of thousands of lines are remembered by 16 bytes each. */
function markOf(line: string): string {
  return createHash('md5').update(line).digest('base64');
}
