import { fit, printable } from './display-width.ts';
import type { CaseCounts, TouchpointCounts } from './summary.ts';

const LINES_MAX = 8;
const NAME_COLUMNS = 24;

const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `CSAT delivery SURVEY   61 % satisfied of 120  1 alert`, those with the most answers first. */
export function touchpointLines(touchpoints: readonly TouchpointCounts[]): string[] {
  const shown = touchpoints.toSorted((left, right) => answersOf(right) - answersOf(left)).slice(0, LINES_MAX);
  return shown.map((each) => {
    const name = fit(printable(`${each.metric} ${each.touchpoint} ${each.channel}`), NAME_COLUMNS);
    const alerts = each.alerts === 0 ? '' : `  ${each.alerts} ${each.alerts === 1 ? 'alert' : 'alerts'}`;
    return `  ${name} ${scoreOf(each).padStart(14)} of ${count(answersOf(each)).padStart(5)}${alerts}`;
  });
}

/** How many cases stand where, as one line of words. */
export function caseWords({ open, acknowledged, overdue, resolved, verified, reopenings }: CaseCounts): string[] {
  return [
    `  open ${count(open)}`,
    `acknowledged ${count(acknowledged)}`,
    `overdue ${count(overdue)}`,
    `resolved ${count(resolved)}`,
    `verified ${count(verified)}`,
    `reopened ${count(reopenings)} times`,
  ];
}

function answersOf({ satisfied, neutral, dissatisfied }: TouchpointCounts): number {
  return satisfied + neutral + dissatisfied;
}

function scoreOf(counts: TouchpointCounts): string {
  const answers = answersOf(counts);
  if (answers === 0) return 'none';
  const satisfied = `${Math.round((100 * counts.satisfied) / answers)} %`;
  if (counts.metric === 'SENTIMENT') return `${satisfied} positive`;
  if (counts.metric !== 'NPS') return `${satisfied} satisfied`;
  const score = Math.round((100 * (counts.satisfied - counts.dissatisfied)) / answers);
  return `NPS ${score > 0 ? '+' : ''}${score}`;
}
