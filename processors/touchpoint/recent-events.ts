import { fingerprint, readFingerprint, writeFingerprint, type Fingerprint } from '../core/fingerprint.ts';
import { DAY_MS } from '../core/event-time.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';

/** How many events a touchpoint remembers on a channel. */
export const REMEMBERED_EVENTS = 1_024;
/** How long, in record time. */
const REMEMBERED_MS = DAY_MS;

/** The ids of the newest events, oldest first, each with the time it was applied. An id is unique for its subject only. */
export class RecentEvents {
  readonly #applied = new Map<Fingerprint, Instant>();

  get size(): number {
    return this.#applied.size;
  }

  has(subject: string, eventId: string, now: Instant): boolean {
    const appliedAt = this.#applied.get(idOf(subject, eventId));
    return appliedAt !== undefined && now - appliedAt < REMEMBERED_MS;
  }

  /** `now` never goes back. */
  add(subject: string, eventId: string, now: Instant): void {
    const id = idOf(subject, eventId);
    this.#applied.delete(id);
    this.#applied.set(id, now);
    for (const [oldest, at] of this.#applied) {
      if (now - at < REMEMBERED_MS && this.#applied.size <= REMEMBERED_EVENTS) break;
      this.#applied.delete(oldest);
    }
  }

  write(writer: ByteWriter): void {
    writer.uint(this.#applied.size);
    let before = 0;
    for (const [id, at] of this.#applied) {
      writeFingerprint(id, writer);
      writer.uint(at - before);
      before = at;
    }
  }

  static read(reader: ByteReader): RecentEvents {
    const events = new RecentEvents();
    let at = 0;
    for (let left = reader.uint(); left > 0; left--) {
      const id = readFingerprint(reader);
      at += reader.uint();
      events.#applied.set(id, at);
    }
    return events;
  }
}

function idOf(subject: string, eventId: string): Fingerprint {
  return fingerprint(`${subject}|${eventId}`);
}
