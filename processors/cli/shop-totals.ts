import type { Kizuna } from '../main.ts';
import type { GaugeSample } from '../core/processor.ts';
import type { CaseCounts, TouchpointCounts, TriggerCounts } from '../simulation/summary.ts';

/** What the totals of this process's partitions say, over every brand. */
export interface ShopTotals {
  readonly members: ReadonlyMap<string, number>;
  readonly bands: ReadonlyMap<string, number>;
  /** Over a year, or now. */
  readonly kpis: Readonly<Record<string, number>>;
  readonly weekKpis: Readonly<Record<string, number>>;
  readonly triggers: readonly TriggerCounts[];
  readonly touchpoints: readonly TouchpointCounts[];
  readonly cases: CaseCounts;
}

type Mutable<Counts> = { -readonly [Name in keyof Counts]: Counts[Name] };

const ANSWERS = ['satisfied', 'neutral', 'dissatisfied'] as const;

export function shopTotals({ ports }: Kizuna): ShopTotals {
  const samples = [...ports.owned].flatMap(({ processor, totals }) => [...processor.totals.gauges(totals)]);
  return {
    members: sumBy(samples, 'segment_members', 'segment'),
    bands: sumBy(samples, 'customers', 'churn_band'),
    kpis: kpisOf(samples, ['365d', 'now']),
    weekKpis: kpisOf(samples, ['7d']),
    triggers: triggersOf(samples),
    touchpoints: touchpointsOf(samples),
    cases: casesOf(samples),
  };
}

function sumBy(samples: readonly GaugeSample[], gauge: string, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    if (name !== gauge) continue;
    const key = labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

function kpisOf(samples: readonly GaugeSample[], windows: readonly string[]): Record<string, number> {
  const own = samples.filter(({ labels }) => windows.includes(labels['window'] ?? ''));
  return Object.fromEntries(sumBy(own, 'brand_kpi', 'kpi'));
}

function triggersOf(samples: readonly GaugeSample[]): TriggerCounts[] {
  const triggers = samples.filter(({ name }) => name === 'triggers');
  const by = (change: string): ReadonlyMap<string, number> =>
    sumBy(
      triggers.filter(({ labels }) => labels['trigger_change'] === change),
      'triggers',
      'trigger',
    );
  const [fired, cancelled] = [by('FIRED'), by('CANCELLED')];
  return [...fired]
    .sort()
    .map(([trigger, count]) => ({ trigger, fired: count, cancelled: cancelled.get(trigger) ?? 0 }));
}

function touchpointsOf(samples: readonly GaugeSample[]): TouchpointCounts[] {
  const counted = new Map<string, Mutable<TouchpointCounts>>();
  const alerts = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    const { touchpoint = '', channel = '', metric = '', answer } = labels;
    if (name === 'touchpoint_alerts') alerts.set(`${touchpoint}|${channel}`, value);
    const kind = ANSWERS.find((each) => each === answer);
    if (name !== 'touchpoint_answers' || kind === undefined) continue;
    const key = [touchpoint, channel, metric].join('|');
    const counts = counted.get(key) ?? {
      touchpoint,
      channel,
      metric,
      satisfied: 0,
      neutral: 0,
      dissatisfied: 0,
      alerts: 0,
    };
    counts[kind] += value;
    counted.set(key, counts);
  }
  // Alerts are counted for a touchpoint on a channel, whatever the metric.
  for (const counts of counted.values()) counts.alerts = alerts.get(`${counts.touchpoint}|${counts.channel}`) ?? 0;
  return [...counted.values()];
}

function casesOf(samples: readonly GaugeSample[]): CaseCounts {
  const cases = sumBy(samples, 'cases', 'case_state');
  const sum = (gauge: string): number =>
    [...sumBy(samples, gauge, 'brand').values()].reduce((all, each) => all + each, 0);
  return {
    open: cases.get('OPEN') ?? 0,
    acknowledged: cases.get('ACKNOWLEDGED') ?? 0,
    resolved: cases.get('RESOLVED') ?? 0,
    verified: cases.get('VERIFIED') ?? 0,
    overdue: sum('cases_overdue'),
    reopenings: sum('case_reopenings'),
  };
}
