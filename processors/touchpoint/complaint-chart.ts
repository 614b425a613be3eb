import type { TouchpointSettings } from '../core/definitions.ts';
import { DAY_MS, utcDay } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import { poissonLimit, poissonTail } from './poisson.ts';
import { windowSum, type Bundle } from './series.ts';

/** What the complaints of a touchpoint on a channel were like when that was learnt: frozen, whatever comes. */
export interface ComplaintBaseline {
  readonly complaints: number;
  readonly since: Instant;
  readonly frozenAt: Instant;
  /** In a day: half a complaint more than there were, so that nothing is impossible. */
  readonly expected: number;
  /** So many in a day raise an alert. */
  readonly limit: number;
  /** The chance of so many in a day while nothing changes. */
  readonly chance: number;
}

/** A Shewhart chart of the complaints of each UTC day. */
export interface ComplaintChart {
  /** When learning began; −1: not yet. */
  since: Instant;
  /** Complaints folded since then, while they are learnt from. */
  learnt: number;
  baseline: ComplaintBaseline | null;
  /** −1: no alert is open. */
  raisedAt: Instant;
}

/** An alert raised or cleared, with the count of the day that decided it. */
export interface ComplaintSignal {
  readonly change: 'RAISED' | 'CLEARED';
  readonly baseline: ComplaintBaseline;
  readonly count: number;
  /** When that day began. */
  readonly day: Instant;
  readonly raisedAt: Instant;
}

const TODAY: Span = { ring: 2, hops: 0 };
const TWO_DAYS: Span = { ring: 2, hops: 1 };

export function newComplaintChart(): ComplaintChart {
  return { since: -1, learnt: 0, baseline: null, raisedAt: -1 };
}

/** Takes notice of time: learning begins with the first event of any kind, and ends after so many whole days. */
export function learnComplaints(chart: ComplaintChart, now: Instant, settings: TouchpointSettings): void {
  if (chart.since < 0) chart.since = now;
  const frozenAt = chart.since + settings.complaintBaselineDays * DAY_MS;
  if (chart.baseline !== null || now < frozenAt) return;
  const expected = (chart.learnt + 0.5) / settings.complaintBaselineDays;
  const limit = poissonLimit(expected, 1 / settings.inControlDays);
  const chance = poissonTail(limit, expected);
  chart.baseline = { complaints: chart.learnt, since: chart.since, frozenAt, expected, limit, chance };
}

/** A complaint that is in the tiles already. One that comes late belongs to a day that is over, and raises nothing. */
export function chartComplaint(chart: ComplaintChart, complaints: Bundle, now: Instant): ComplaintSignal[] {
  const { baseline } = chart;
  if (baseline === null) {
    chart.learnt += 1;
    return [];
  }
  const count = countOf(complaints, TODAY, now);
  if (chart.raisedAt >= 0 || count < baseline.limit) return [];
  chart.raisedAt = now;
  return [{ change: 'RAISED', baseline, count, day: utcDay(now) * DAY_MS, raisedAt: now }];
}

/**
 * What silence does to an open alert at exactly `due`: it is cleared at the end of the first day that had no more complaints than are
 * expected; and when it was open too long it is the new normal, which is learnt from then on.
 */
export function settleComplaints(
  chart: ComplaintChart,
  complaints: Bundle,
  due: Instant,
  settings: TouchpointSettings,
): ComplaintSignal[] {
  const { baseline, raisedAt } = chart;
  if (baseline === null || raisedAt < 0) return [];
  const day = (Math.ceil(due / DAY_MS) - 1) * DAY_MS;
  const isNormal = relearnsAt(chart, settings) <= due;
  const isOver = due % DAY_MS === 0;
  const count = isOver
    ? countOf(complaints, TWO_DAYS, due) - countOf(complaints, TODAY, due)
    : countOf(complaints, TODAY, due);
  if (!isNormal && (!isOver || count > baseline.expected)) return [];
  if (isNormal) Object.assign(chart, { ...newComplaintChart(), since: due });
  else chart.raisedAt = -1;
  return [{ change: 'CLEARED', baseline, count, day, raisedAt }];
}

/** When silence alone may end an open alert: at the next midnight, or when it is taken for the new normal. */
export function complaintsDue(chart: ComplaintChart, now: Instant, settings: TouchpointSettings): Instant {
  return chart.raisedAt < 0 ? NEVER : Math.min((utcDay(now) + 1) * DAY_MS, relearnsAt(chart, settings));
}

function relearnsAt({ raisedAt }: ComplaintChart, { relearnAfterDays }: TouchpointSettings): Instant {
  return raisedAt + relearnAfterDays * DAY_MS;
}

function countOf({ series: [complaints] }: Bundle, span: Span, now: Instant): number {
  return complaints === undefined ? 0 : windowSum(complaints, span, now);
}
