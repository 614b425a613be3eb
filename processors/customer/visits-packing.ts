import { ByteReader, type ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import type { PageTotals, PageView } from './page-time.ts';
import type { Session } from './sessions.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

const IS_OPEN = 1;
const HAS_SESSIONS = 2;
const HAS_MEASURED = 4;
const HAS_UNMEASURED = 8;
const HAS_VIEWS = 16;

const IS_ENGAGED = 1;
const IS_VIEWED = 1;

/** What a customer's visits to the site and the app come to: sessions.ts and page-time.ts. */
export class Visits implements PageTotals {
  /** When the newest session began; −1: there was none. */
  lastStartAt: Instant = -1;
  /** Those in reach, oldest first. */
  readonly sessions: Session[] = [];
  /** The newest session can still go on. */
  isOpen = false;
  /** Since ever, those still open included; how many sessions there were is the measure's sum. */
  engagedSessions = 0;
  measuredViews = 0;
  longViews = 0;
  unmeasuredViews = 0;
  visibleMs = 0;
  #views: PageView[] | null = null;
  // The page views packed, as long as nobody asked for them, for most events ask for none; and what their times are told from.
  #packed: Buffer = NO_BYTES;
  #packedStartAt: Instant = -1;

  /** Those that can still be measured, by the time they were first heard of. */
  get views(): PageView[] {
    this.#views ??= this.#packed.length === 0 ? [] : readViews(this.#packed, this.#packedStartAt);
    return this.#views;
  }

  set views(views: PageView[]) {
    this.#views = views;
  }

  static read(reader: ByteReader): Visits {
    const visits = new Visits();
    const flags = reader.byte();
    visits.isOpen = (flags & IS_OPEN) !== 0;
    visits.lastStartAt = reader.uint() - 1;
    visits.engagedSessions = reader.uint();
    if ((flags & HAS_SESSIONS) !== 0) readSessions(visits, reader);
    if ((flags & HAS_MEASURED) !== 0) {
      visits.measuredViews = reader.uint();
      visits.longViews = reader.uint();
      visits.visibleMs = reader.uint();
    }
    if ((flags & HAS_UNMEASURED) !== 0) visits.unmeasuredViews = reader.uint();
    if ((flags & HAS_VIEWS) === 0) return visits;
    visits.#packed = reader.rest();
    visits.#packedStartAt = visits.lastStartAt;
    return visits;
  }

  /** Sessions are packed newest first: each begins so long before the one after it, and lasts so long. */
  write(writer: ByteWriter): void {
    const { lastStartAt, sessions } = this;
    // As they came, unless somebody asked for them or their times are told from another one now.
    const views = this.#views === null && lastStartAt === this.#packedStartAt ? null : this.views;
    const hasViews = views === null ? this.#packed.length > 0 : views.length > 0;
    writer.byte(
      (this.isOpen ? IS_OPEN : 0) |
        (sessions.length > 0 ? HAS_SESSIONS : 0) |
        (this.measuredViews > 0 ? HAS_MEASURED : 0) |
        (this.unmeasuredViews > 0 ? HAS_UNMEASURED : 0) |
        (hasViews ? HAS_VIEWS : 0),
    );
    writer.uint(lastStartAt + 1);
    writer.uint(this.engagedSessions);
    if (sessions.length > 0) writeSessions(sessions, lastStartAt, writer);
    if (this.measuredViews > 0) {
      writer.uint(this.measuredViews);
      writer.uint(this.longViews);
      writer.uint(this.visibleMs);
    }
    if (this.unmeasuredViews > 0) writer.uint(this.unmeasuredViews);
    if (views === null) writer.raw(this.#packed, 0, this.#packed.length);
    else if (hasViews) writeViews(views, lastStartAt, writer);
  }
}

/** When the newest session began, as `Visits.read` would read it. */
export function readLastStart(reader: ByteReader): Instant {
  reader.byte();
  return reader.uint() - 1;
}

function writeSessions(sessions: readonly Session[], lastStartAt: Instant, writer: ByteWriter): void {
  writer.uint(sessions.length);
  let nextStartAt = lastStartAt;
  for (let index = sessions.length - 1; index >= 0; index--) {
    const session = sessions[index];
    if (session === undefined) continue;
    writer.uint(nextStartAt - session.startAt);
    nextStartAt = session.startAt;
    // Behind the flag: whether it had one page view, and how long it was visible.
    const { isEngaged, pageViews, visibleMs, startAt, endAt } = session;
    writer.uint((endAt - startAt) * 2 + (isEngaged ? IS_ENGAGED : 0));
    if (!isEngaged) writer.uint(visibleMs * 2 + pageViews);
  }
}

function readSessions(visits: Visits, reader: ByteReader): void {
  let startAt = visits.lastStartAt;
  for (let left = reader.uint(); left > 0; left--) {
    startAt -= reader.uint();
    const packed = reader.uint();
    const isEngaged = packed % 2 === IS_ENGAGED;
    const rest = isEngaged ? 0 : reader.uint();
    const endAt = startAt + Math.floor(packed / 2);
    visits.sessions.push({ startAt, endAt, isEngaged, pageViews: rest % 2, visibleMs: Math.floor(rest / 2) });
  }
  visits.sessions.reverse();
}

function writeViews(views: readonly PageView[], lastStartAt: Instant, writer: ByteWriter): void {
  writer.uint(views.length);
  for (const { id, at, isViewed, visibleMs } of views) {
    writer.uint32(id);
    writer.int(lastStartAt - at);
    writer.uint(visibleMs * 2 + (isViewed ? IS_VIEWED : 0));
  }
}

function readViews(bytes: Buffer, lastStartAt: Instant): PageView[] {
  const reader = new ByteReader(bytes);
  return Array.from({ length: reader.uint() }, () => {
    const id = reader.byte() * 2 ** 24 + (reader.byte() << 16) + (reader.byte() << 8) + reader.byte();
    const at = lastStartAt - reader.int();
    const packed = reader.uint();
    return { id, at, isViewed: packed % 2 === IS_VIEWED, visibleMs: Math.floor(packed / 2) };
  });
}
