import type { Instant } from '../../core/processor.ts';
import type { DocumentWrite, Documents, DueCursor, RevisedState, RevisionCursor, StoredState } from '../ports.ts';
import { DueIndex } from './documents-due.ts';

/** What a MongoDB document may hold, less room for its other fields. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 - 64 * 1024;

interface Entry {
  seq: number;
  partition: number;
  due: Instant;
  revision: number | null;
  /**
   * The bytes as a Latin-1 string: an isolated copy like the real store's, and unlike a small Buffer it does not keep the
   * 8 KiB pool slab it was cut from alive.
   */
  packed: string;
}

/** Documents of one processor in this process's memory. Of summaries only the revision is kept: nothing else queries them here. */
export class MemoryDocuments implements Documents {
  readonly #entries = new Map<string, Entry>();
  readonly #dues = new Map<number, DueIndex>();

  get size(): number {
    return this.#entries.size;
  }

  async load(keys: readonly string[]): Promise<StoredState[]> {
    const found: StoredState[] = [];
    for (const key of new Set(keys)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) found.push(stored(key, entry));
    }
    return found;
  }

  async due(partition: number, until: Instant, after: DueCursor | null, limit: number): Promise<StoredState[]> {
    const keys = this.#dues.get(partition)?.page(until, after, limit) ?? [];
    return this.load(keys);
  }

  async outdated(
    partition: number,
    current: number,
    after: RevisionCursor | null,
    limit: number,
  ): Promise<RevisedState[]> {
    return this.#outdated(partition, current)
      .filter((each) => after === null || byRevision(each, after) > 0)
      .sort(byRevision)
      .slice(0, limit)
      .map(({ key, revision, entry }) => ({ ...stored(key, entry), revision }));
  }

  async countOutdated(partition: number, current: number): Promise<number> {
    return this.#outdated(partition, current).length;
  }

  async store(writes: readonly DocumentWrite[]): Promise<boolean[]> {
    return writes.map((write) => this.#put(write));
  }

  /** Of every document: for an embedded run that shows its result at the end. */
  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Every document, in the order in which the keys were first stored. */
  *all(): Generator<StoredState> {
    for (const [key, entry] of this.#entries) yield stored(key, entry);
  }

  #outdated(partition: number, current: number): (RevisionCursor & { readonly entry: Entry })[] {
    const found: (RevisionCursor & { readonly entry: Entry })[] = [];
    for (const [key, entry] of this.#entries) {
      const { revision } = entry;
      if (entry.partition === partition && revision !== current && revision !== 0) found.push({ key, revision, entry });
    }
    return found;
  }

  #put(write: DocumentWrite): boolean {
    if (write.state.length > MAX_DOCUMENT_BYTES) return false;
    const entry = this.#entries.get(write.key);
    const revision = write.summary.revision ?? null;
    if (entry === undefined) {
      const { seq, partition, due } = write;
      this.#entries.set(write.key, { seq, partition, due, revision, packed: write.state.toString('latin1') });
      this.#dueIndex(partition).add(due, write.key);
      return true;
    }
    // An older state than the stored one is not an error: what is stored covers it.
    if (entry.seq >= write.seq) return true;
    if (entry.due !== write.due || entry.partition !== write.partition) {
      this.#dueIndex(entry.partition).remove(entry.due, write.key);
      this.#dueIndex(write.partition).add(write.due, write.key);
    }
    entry.seq = write.seq;
    entry.partition = write.partition;
    entry.due = write.due;
    entry.revision = revision;
    entry.packed = write.state.toString('latin1');
    return true;
  }

  #dueIndex(partition: number): DueIndex {
    let index = this.#dues.get(partition);
    if (index === undefined) {
      index = new DueIndex();
      this.#dues.set(partition, index);
    }
    return index;
  }
}

function stored(key: string, entry: Entry): StoredState {
  return { key, seq: entry.seq, state: Buffer.from(entry.packed, 'latin1'), due: entry.due };
}

/** Documents without a revision first, as a database has it. */
function byRevision(one: RevisionCursor, other: RevisionCursor): number {
  const between = (one.revision ?? -1) - (other.revision ?? -1);
  return between !== 0 ? between : one.key === other.key ? 0 : one.key < other.key ? -1 : 1;
}
