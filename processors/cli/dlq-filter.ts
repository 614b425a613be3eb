import { deadLetterTopic, TOPICS } from '../../topics/catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { REJECT_REASONS } from '../core/reasons.ts';
import { placeOf, type Letter } from './dlq-letter.ts';

/** Where a letter stands: a dead-letter topic without prefix, a partition, an offset. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface LetterFilter {
  /** Dead-letter topics, without prefix. */
  readonly topics: readonly string[];
  /** Empty: any. */
  readonly reasons: readonly string[];
  readonly stages: readonly string[];
  /** Inclusive, both. */
  readonly since: Instant;
  readonly until: Instant;
  readonly key: Buffer | null;
  /** null: any. */
  readonly places: readonly Place[] | null;
}

/** What may be asked for on the command line, as it was typed. */
export interface FilterFlags {
  readonly topic?: string;
  readonly reason?: readonly string[];
  readonly stage?: readonly string[];
  readonly since?: Instant;
  readonly until?: Instant;
  readonly key?: string;
}

export const STAGES = ['decode', 'fold'] as const;

const DEAD_LETTER_TOPICS: readonly string[] = TOPICS.filter(({ role }) => role === 'dead-letter').map(
  ({ name }) => name,
);

/** Throws a ConfigurationError that lists every fault. `prefix`: may stand before a topic's name. */
export function filterOf(flags: FilterFlags, places: readonly Place[], prefix: string): LetterFilter {
  const { topic, reason = [], stage = [], since = 0, until = Number.MAX_SAFE_INTEGER, key } = flags;
  const faults = [
    ...unknownOf('--reason', reason, REJECT_REASONS),
    ...unknownOf('--stage', stage, STAGES),
    ...(since > until ? [{ where: '--since', message: 'is after --until' }] : []),
  ];
  const topics = topic === undefined ? DEAD_LETTER_TOPICS : topicsOf(withoutPrefix(topic, prefix));
  if (topics.length === 0) {
    faults.push({
      where: '--topic',
      message: `${topic} has no dead letters: name a topic that is read, or one of ${DEAD_LETTER_TOPICS.join(', ')}`,
    });
  }
  if (faults.length > 0) throw new ConfigurationError(faults);
  return {
    topics: places.length === 0 ? topics : topics.filter((name) => places.some((place) => place.topic === name)),
    reasons: reason,
    stages: stage,
    since,
    until,
    key: key === undefined ? null : bytesOf(key),
    places: places.length === 0 ? null : places,
  };
}

export function isWanted(letter: Letter, filter: LetterFilter): boolean {
  const { reasons, stages, since, until, key, places } = filter;
  if (letter.time < since || letter.time > until) return false;
  if (reasons.length > 0 && !reasons.includes(letter.reason)) return false;
  if (stages.length > 0 && !stages.includes(letter.stage)) return false;
  if (key !== null && letter.record.key?.equals(key) !== true) return false;
  return places === null || places.some((place) => placeText(place) === placeOf(letter));
}

/** `topic/partition/offset` as `dlq list` writes it. Throws a ConfigurationError. */
export function parsePlace(text: string, prefix: string): Place {
  const [, name = '', partition = '', offset = ''] = /^([^/]+)\/(\d{1,9})\/(\d{1,15})$/.exec(text) ?? [];
  const topic = withoutPrefix(name, prefix);
  if (DEAD_LETTER_TOPICS.includes(topic)) return { topic, partition: Number(partition), offset: Number(offset) };
  const message = `is no dead letter: give TOPIC/PARTITION/OFFSET as \`kizuna dlq list\` does, the topic one of ${DEAD_LETTER_TOPICS.join(', ')}`;
  throw new ConfigurationError([{ where: text, message }]);
}

export function placeText({ topic, partition, offset }: Place): string {
  return `${topic}/${partition}/${offset}`;
}

/** The topic whose refused records a dead-letter topic takes. */
export function sourceTopic(name: string): string {
  const source = TOPICS.find((topic) => topic.readers.some((group) => deadLetterTopic(topic.name, group) === name));
  if (source === undefined) throw new RangeError(`${name} takes the dead letters of no topic`);
  return source.name;
}

/** A dead-letter topic is meant by its own name, or by that of the topic whose letters it takes. */
function topicsOf(name: string): readonly string[] {
  return DEAD_LETTER_TOPICS.filter((letters) => letters === name || sourceTopic(letters) === name);
}

function withoutPrefix(name: string, prefix: string): string {
  return prefix !== '' && name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** A key as text, or as `0x` and hexadecimal digits where a list shows it so. */
function bytesOf(key: string): Buffer {
  return /^0x([0-9a-f]{2})+$/.test(key) ? Buffer.from(key.slice(2), 'hex') : Buffer.from(key);
}

function unknownOf(where: string, given: readonly string[], known: readonly string[]) {
  return given
    .filter((each) => !known.includes(each))
    .map((each) => ({ where, message: `${each} is none of ${known.join(', ')}` }));
}
