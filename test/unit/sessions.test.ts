import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addPageEvent,
  REMEMBERED_PAGE_VIEWS,
  reportedMs,
  type PageTotals,
  type PageView,
} from '../../processors/customer/page-time.ts';
import {
  addSession,
  dropOutOfReach,
  isInReach,
  sessionOf,
  type Session,
  type SessionEvent,
} from '../../processors/customer/sessions.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function sessionsOf(events: readonly Partial<SessionEvent>[]) {
  const sessions: Session[] = [];
  const starts: number[] = [];
  let engaged = 0;
  for (const event of events) {
    const session = sessionOf({ at: 0, pageViews: 0, isKey: false, visibleMs: 0, ...event });
    engaged += addSession(sessions, session, (startAt, by) => {
      if (by === 1) starts.push(startAt);
      else starts.splice(starts.indexOf(startAt), 1);
    });
  }
  return { sessions, starts: starts.sort((a, b) => a - b), engaged };
}

describe('sessions', () => {
  test('end with a silence of 30 minutes, not a millisecond earlier', () => {
    expect(sessionsOf([{ at: 0 }, { at: 30 * MINUTE - 1 }]).starts).toEqual([0]);
    expect(sessionsOf([{ at: 0 }, { at: 30 * MINUTE }]).starts).toEqual([0, 30 * MINUTE]);
  });

  test('become one when a late event lies between them', () => {
    const { sessions, starts } = sessionsOf([{ at: 0 }, { at: 50 * MINUTE }, { at: 25 * MINUTE }]);
    expect(sessions).toMatchObject([{ startAt: 0, endAt: 50 * MINUTE }]);
    expect(starts).toEqual([0]);
  });

  // Google Analytics 4: longer than 10 seconds, or a key event, or at least two page views.
  test.each<[string, Partial<SessionEvent>[], boolean]>([
    ['one page view', [{ pageViews: 1 }], false],
    ['10 seconds', [{ at: 0 }, { at: 10_000 }], false],
    ['more than 10 seconds', [{ at: 0 }, { at: 10_001 }], true],
    ['a page visible for 10 seconds', [{ pageViews: 1 }, { visibleMs: 10_000 }], false],
    ['a page visible for longer', [{ visibleMs: 6_000 }, { visibleMs: 4_001 }], true],
    ['a key event', [{ isKey: true }], true],
    ['two page views', [{ pageViews: 1 }, { pageViews: 1 }], true],
  ])('are engaged by what happened in them: %s', (_, events, isEngaged) => {
    expect(sessionsOf(events).engaged).toBe(isEngaged ? 1 : 0);
  });

  test('are the same in whatever order their events come', () => {
    const event = fc.record({
      at: fc.integer({ min: 0, max: 40 }).map((tens) => tens * 9 * MINUTE + (tens % 3)),
      pageViews: fc.constantFrom<0 | 1>(0, 1),
      isKey: fc.boolean(),
      visibleMs: fc.constantFrom(0, 4_000, 11_000),
    });
    const shuffled = fc
      .array(event, { maxLength: 20 })
      .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })));
    fc.assert(
      fc.property(shuffled, ([events, others]) => {
        expect(sessionsOf(others)).toEqual(sessionsOf(events));
      }),
    );
  });

  test('are kept as long as an event in reach can touch them, so at most 50', () => {
    const sessions: Session[] = [];
    for (let index = 0; index < 200; index++) {
      const at = index * 30 * MINUTE;
      addSession(sessions, sessionOf({ at, pageViews: 1, isKey: false, visibleMs: 0 }), () => undefined);
      dropOutOfReach(sessions, at);
      expect(sessions.length).toBeLessThanOrEqual(50);
    }
    const now = 199 * 30 * MINUTE;
    const oldest = now - 24 * HOUR + 1;
    expect([isInReach(oldest, now), isInReach(oldest - 1, now)]).toEqual([true, false]);
    expect(sessions.some(({ endAt }) => endAt <= oldest && endAt > oldest - 30 * MINUTE)).toBe(true);
  });
});

describe('time on page', () => {
  type Event = Parameters<typeof addPageEvent>[2];
  const view = (id: number | null, at = 0): Event => ({ id, at, isView: true, visibleMs: 0 });
  const report = (id: number | null, visibleMs: number, at = 0): Event => ({ id, at, isView: false, visibleMs });

  function totalsOf(events: readonly Event[], now = HOUR): PageTotals & { remembered: number } {
    const views: PageView[] = [];
    const totals = { measuredViews: 0, longViews: 0, unmeasuredViews: 0, visibleMs: 0 };
    for (const event of events) addPageEvent(views, totals, event, now);
    return { ...totals, remembered: views.length };
  }

  test('is summed for each page view; more than 45 seconds make it a long one', () => {
    const events = [view(1), report(1, 30_000), report(1, 15_000), view(2), report(2, 45_001), view(3)];
    expect(totalsOf(events)).toEqual({
      measuredViews: 2,
      longViews: 1,
      unmeasuredViews: 1,
      visibleMs: 90_001,
      remembered: 3,
    });
  });

  test('does not depend on the order of views and reports', () => {
    const events = [view(1), report(1, 30_000), report(1, 16_000), view(2), view(3), report(3, 1)];
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        expect(totalsOf(shuffled)).toEqual(totalsOf(events));
      }),
    );
  });

  test('of a view without an id, or of long ago, is not known', () => {
    expect(totalsOf([view(null), report(null, 5_000)])).toMatchObject({ unmeasuredViews: 1, measuredViews: 0 });
    const late = totalsOf([view(1), report(1, 5_000)], 24 * HOUR);
    expect(late).toMatchObject({ unmeasuredViews: 1, measuredViews: 0, visibleMs: 0, remembered: 0 });
  });

  test('is kept for the newest 16 views', () => {
    const events = Array.from({ length: 20 }, (_, id) => view(id));
    expect(totalsOf(events)).toMatchObject({ remembered: REMEMBERED_PAGE_VIEWS, unmeasuredViews: 20 });
  });

  test('of a single report is within reason', () => {
    expect([null, -5, 0, 12_000, 10 ** 12].map(reportedMs)).toEqual([0, 0, 0, 12_000, 30 * MINUTE]);
  });
});
