import { TOPICS, type Topic } from '../../topics/catalog.ts';
import type { Instant } from '../core/processor.ts';

/** What a scan found in one place, and what takes it away. */
export interface ErasurePlace {
  readonly kind: 'topic' | 'journal' | 'documents';
  readonly name: string;
  readonly scanned: number;
  /** Records, states, outputs or documents that tell of the person. */
  readonly found: number;
  /** What only says that something is gone: tombstones, and documents that refuse what was before. */
  readonly marks: number;
  /** What removes what was found; null when nothing was found, or nothing does. */
  readonly by: 'retention' | 'purge' | 'compaction' | 'erase' | null;
  /** When that is done at the latest, by the settings in force; null: not known. */
  readonly until: Instant | null;
}

/** Of the records of a topic that are about the person, while it is read. */
export class FoundInTopic {
  scanned = 0;
  found = 0;
  marks = 0;
  newestAt: Instant = -1;
  /** Of each key the last record was no tombstone: nothing compacts it away. */
  readonly #open = new Set<string>();

  add(key: string, timestamp: Instant, isTombstone: boolean): void {
    this.newestAt = Math.max(this.newestAt, timestamp);
    if (isTombstone) {
      this.marks += 1;
      this.#open.delete(key);
      return;
    }
    this.found += 1;
    this.#open.add(key);
  }

  get isEnded(): boolean {
    return this.#open.size === 0;
  }
}

const FOR_EVER = -1;

/** What becomes of what was found in a topic, by the settings in force; `purgeAfterMs` null: internal topics are never purged. */
export function topicPlace(
  name: string,
  { scanned, found, marks, newestAt, isEnded }: FoundInTopic,
  settings: ReadonlyMap<string, string>,
  purgeAfterMs: number | null,
  now: Instant,
): ErasurePlace {
  const place = { kind: 'topic', name, scanned, found, marks } as const;
  const nothing = { ...place, by: null, until: null };
  if (found === 0) return nothing;
  const number = (setting: string): number => Number(settings.get(setting) ?? FOR_EVER);
  // A segment goes whole, once its newest record is old enough.
  const segmentMs = Math.max(0, number('segment.ms'));
  const policy = settings.get('cleanup.policy') ?? '';
  const ends: ErasurePlace[] = [];
  if (policy.includes('delete') && number('retention.ms') !== FOR_EVER) {
    ends.push({ ...place, by: 'retention', until: newestAt + segmentMs + number('retention.ms') });
  }
  if (policy.includes('delete') && isInternal(name) && purgeAfterMs !== null) {
    ends.push({ ...place, by: 'purge', until: now + purgeAfterMs });
  }
  if (policy.includes('compact')) {
    if (!isEnded) ends.push({ ...place, by: 'erase', until: null });
    else ends.push({ ...place, by: 'compaction', until: compactedAt(newestAt, number('max.compaction.lag.ms')) });
  }
  // Whichever comes first takes it away; one that nobody can date comes after all that can be dated.
  return ends.reduce((first, each) => (dated(each) < dated(first) ? each : first), ends[0] ?? nothing);
}

function dated({ until }: ErasurePlace): number {
  return until ?? Number.POSITIVE_INFINITY;
}

/** A lag that nobody set is as long as there is. */
function compactedAt(newestAt: Instant, lagMs: number): Instant | null {
  const until = newestAt + lagMs;
  return lagMs >= 0 && until <= LATEST ? until : null;
}

/** What a date can hold. */
const LATEST = 8_640_000_000_000_000;

function isInternal(name: string): boolean {
  return TOPICS.some((topic: Topic) => topic.name === name && topic.role === 'internal');
}
