import type { TouchpointSettings } from '../core/definitions.ts';
import type { Instant } from '../core/processor.ts';
import { BEST_UNITS, type Answer } from '../core/surveys.ts';
import type { AlertDirection, ControlChart } from '../../schemas/types.ts';
import { learn, newLearning, type Baseline, type Learning } from './baseline.ts';
import { chartLimits } from './limits.ts';

/** The answers since a statistic last stood at its centre. */
export interface Run {
  answers: number;
  units: number;
  dissatisfied: number;
  since: Instant;
}

/** One statistic and the alert it raised. */
export interface Chart {
  statistic: number;
  /** −1: no alert is open. */
  raisedAt: Instant;
  /** Of the open alert: answers have become better. */
  isBetter: boolean;
  run: Run;
}

/** Of one metric. In the order in which they are packed. */
export const CHART_NAMES = ['cusumWorse', 'cusumBetter', 'ewma', 'bernoulli'] as const;
export type ChartName = (typeof CHART_NAMES)[number];

export interface Charts {
  learning: Learning;
  baseline: Baseline | null;
  /** The subgroup that is not full yet. */
  subgroup: Run;
  readonly charts: Record<ChartName, Chart>;
}

/** An alert raised or cleared, with what the chart stood at then. */
export interface Signal {
  readonly change: 'RAISED' | 'CLEARED';
  readonly chart: ControlChart;
  readonly direction: AlertDirection;
  readonly statistic: number;
  readonly limit: number;
  readonly baseline: Baseline;
  readonly sample: Run;
  readonly raisedAt: Instant;
  /** How many answers pass on average until a false alarm. */
  readonly inControlAnswers: number;
}

const KINDS: Readonly<Record<ChartName, ControlChart>> = {
  cusumWorse: 'CUSUM',
  cusumBetter: 'CUSUM',
  ewma: 'EWMA',
  bernoulli: 'BERNOULLI_CUSUM',
};

export function newCharts(): Charts {
  const chart = (): Chart => ({ statistic: 0, raisedAt: -1, isBetter: false, run: newRun() });
  return {
    learning: newLearning(),
    baseline: null,
    subgroup: newRun(),
    charts: { cusumWorse: chart(), cusumBetter: chart(), ewma: chart(), bernoulli: chart() },
  };
}

function newRun(): Run {
  return { answers: 0, units: 0, dissatisfied: 0, since: 0 };
}

/** What the charts of one answer have at hand. */
interface Charting {
  readonly baseline: Baseline;
  readonly settings: TouchpointSettings;
  readonly now: Instant;
  readonly signals: Signal[];
}

/** Charts one answer, in the order in which answers are folded; until there is a baseline it is learnt from. */
export function chartAnswer(charts: Charts, answer: Answer, now: Instant, settings: TouchpointSettings): Signal[] {
  const { baseline, subgroup } = charts;
  if (baseline === null) {
    charts.baseline = learn(charts.learning, answer, now, settings);
    return [];
  }
  const charting: Charting = { baseline, settings, now, signals: [] };
  const own: Run = {
    answers: 1,
    units: answer.units,
    dissatisfied: answer.kind === 'dissatisfied' ? 1 : 0,
    since: now,
  };
  chartShare(charts.charts.bernoulli, own, charting);
  addRun(subgroup, own);
  if (subgroup.answers >= settings.subgroupAnswers) {
    chartMean(charts.charts, subgroup, charting);
    charts.subgroup = newRun();
  }
  return charting.signals;
}

/** What an alert that was open too long leaves behind: nothing is charted until a new baseline is learnt. */
export function relearn(charts: Charts, settings: TouchpointSettings, now: Instant): Signal[] {
  const { baseline } = charts;
  if (baseline === null) return [];
  const charting: Charting = { baseline, settings, now, signals: [] };
  for (const name of CHART_NAMES)
    if (charts.charts[name].raisedAt >= 0) tell('CLEARED', name, charts.charts[name], charting);
  Object.assign(charts, newCharts());
  return charting.signals;
}

/** Tabular CUSUM and EWMA of the subgroup's mean, in its standard deviations above the baseline's. */
function chartMean(charts: Charts['charts'], subgroup: Run, charting: Charting): void {
  const { baseline, settings } = charting;
  const { reference } = chartLimits(settings);
  const mean = subgroup.units / subgroup.answers / BEST_UNITS;
  const z = (mean - baseline.mean) / (baseline.deviation / Math.sqrt(subgroup.answers));
  for (const name of ['cusumWorse', 'cusumBetter'] as const) {
    const moved = charts[name].statistic + (name === 'cusumBetter' ? z : -z) - reference;
    move(name, charts[name], Math.max(0, moved), moved <= 0, subgroup, charting);
  }
  const before = charts.ewma.statistic;
  const moved = (1 - settings.smoothing) * before + settings.smoothing * z;
  move('ewma', charts.ewma, moved, before * moved <= 0, subgroup, charting);
}

/** Bernoulli CUSUM of dissatisfied answers, in steps. */
function chartShare(chart: Chart, own: Run, charting: Charting): void {
  const design = charting.baseline.bernoulli;
  if (design === null) return;
  const moved = chart.statistic + (own.dissatisfied > 0 ? design.m - 1 : -1);
  move('bernoulli', chart, Math.max(0, moved), moved <= 0, own, charting);
}

/**
 * Moves a chart. It raises one alert when it reaches its limit, from where it does not go further, and clears it when it is back
 * at its centre: so a lasting change keeps its alert open and is not raised again, and the end of it is seen as fast as its
 * beginning. Then the chart starts anew.
 */
function move(name: ChartName, chart: Chart, statistic: number, atCentre: boolean, own: Run, charting: Charting): void {
  const limit = limitOf(name, charting);
  addRun(chart.run, own);
  chart.statistic = statistic;
  if (chart.raisedAt < 0 && Math.abs(statistic) >= limit) {
    chart.raisedAt = charting.now;
    chart.isBetter = name === 'cusumBetter' || (name === 'ewma' && statistic > 0);
    tell('RAISED', name, chart, charting);
  } else if (chart.raisedAt >= 0 && atCentre) {
    tell('CLEARED', name, chart, charting);
    chart.raisedAt = -1;
    chart.statistic = 0;
  }
  chart.statistic = Math.max(-limit, Math.min(limit, chart.statistic));
  if (!atCentre) return;
  chart.run = newRun();
  // An EWMA that crosses its centre is already on its way to the other side.
  if (chart.statistic !== 0) addRun(chart.run, own);
}

function addRun(to: Run, run: Run): void {
  if (to.answers === 0) to.since = run.since;
  to.answers += run.answers;
  to.units += run.units;
  to.dissatisfied += run.dissatisfied;
}

function limitOf(name: ChartName, { baseline, settings }: Charting): number {
  if (name === 'bernoulli') return baseline.bernoulli?.limit ?? 0;
  const { cusum, ewma } = chartLimits(settings);
  return name === 'ewma' ? ewma : cusum;
}

function tell(change: Signal['change'], name: ChartName, chart: Chart, charting: Charting): void {
  const { baseline, settings, signals } = charting;
  const design = name === 'bernoulli' ? baseline.bernoulli : null;
  const scale = design?.m ?? 1;
  const limit = limitOf(name, charting) / scale;
  signals.push({
    change,
    chart: KINDS[name],
    direction: chart.isBetter ? 'BETTER' : 'WORSE',
    statistic: chart.statistic / scale,
    limit: name === 'ewma' && !chart.isBetter ? -limit : limit,
    baseline,
    sample: { ...chart.run },
    raisedAt: chart.raisedAt,
    inControlAnswers: design?.runLength ?? settings.inControlAnswers,
  });
}
