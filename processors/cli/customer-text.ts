import type { Instant } from '../core/processor.ts';
import { MEASURES, WINDOWS } from '../customer/features.ts';
import type { InspectedLeaf, InspectedSegment, Inspection } from '../customer/inspect.ts';
import { printable, timeText } from './dlq-text.ts';
import { columns } from './terminal.ts';

export function segmentText({ segmentId, isMember, nextFlipAt, leaves }: InspectedSegment): string {
  const becomes = isMember ? 'leaves' : 'enters';
  const stays = isMember ? 'stays' : 'stays out';
  const silence =
    nextFlipAt === null ? `${stays} if nothing happens` : `${becomes} ${timeText(nextFlipAt)} if nothing happens`;
  return `${segmentId}: ${isMember ? 'in' : 'not in'}, ${silence}\n${columns(leaves.map(leafRow), '  ')}`;
}

function leafRow({ path, value, comparison, holds, nextFlipAt }: InspectedLeaf): string[] {
  const until = nextFlipAt === null ? '' : `until ${timeText(nextFlipAt)}`;
  const is = value === null ? 'missing' : printable(JSON.stringify(value));
  return [holds ? 'true' : 'false', path, `is ${is}`, comparison, until];
}

export function profileText(key: string, at: Instant, { asOf, isRedefined, profile, triggers }: Inspection): string {
  const { churn, attributes, segments, identified } = profile;
  const redefined = isRedefined ? ' (by new definitions, not published yet)' : '';
  const facts: string[][] = [
    ['customer', key],
    ['as of', `${timeText(at)}, last change ${timeText(asOf)}`],
    ['identified', identified ? 'yes' : 'no'],
    ['churn risk', churn === undefined ? 'no order, or no model' : `${churn.band} ${churn.probability.toFixed(4)}`],
    ['segments', `${segments.join(', ') || 'none'}${redefined}`],
    ...journeyFacts(profile),
    ...(profile.loyalty === undefined
      ? []
      : [['loyalty', `${profile.loyalty.tier ?? 'no tier'}, ${profile.loyalty.points} points`]]),
    ...scoreFacts(profile),
    ...affinityFacts(profile),
    ...visitFacts(profile),
    ...triggerFacts(triggers),
    ...Object.entries(attributes).map(([name, value]) => [`attribute ${printable(name)}`, printable(value)]),
  ];
  return [columns(facts), measuresText(profile), ratiosText(profile)].filter((part) => part !== '').join('\n\n');
}

function journeyFacts({ stage, stageSince = '', lifecycle, lifecycleSince = '' }: Inspection['profile']): string[][] {
  return [
    ...(stage === undefined ? [] : [['stage', `${stage} since ${stageSince}`]]),
    ...(lifecycle === undefined ? [] : [['lifecycle', `${lifecycle} since ${lifecycleSince}`]]),
  ];
}

function scoreFacts({ scores = {}, scoredAt = {} }: Inspection['profile']): string[][] {
  return Object.entries(scores).map(([score, value]) => [`last ${score}`, `${value} at ${scoredAt[score] ?? ''}`]);
}

function affinityFacts({ affinities = [] }: Inspection['profile']): string[][] {
  return affinities.map(({ dimension, keys }) => {
    const told = keys.map(({ key, weight }) => `${printable(key)} (${weight.toFixed(1)})`);
    return [`most of ${dimension}`, told.join(', ')];
  });
}

function visitFacts({ visits, traits }: Inspection['profile']): string[][] {
  if (visits === undefined) return [];
  const { engagedSessions, measuredViews, unmeasuredViews, averageViewMs, longViewShare } = visits;
  const sessions = [['sessions', `${traits.sessions.lifetime}, ${engagedSessions} of them engaged`]];
  if (averageViewMs === undefined || longViewShare === undefined) return sessions;
  const seconds = (averageViewMs / 1000).toFixed(1);
  const share = (longViewShare * 100).toFixed(0);
  return [
    ...sessions,
    [
      'page views',
      `${seconds} s on average, ${share} % over 45 s, of ${measuredViews} measured; ${unmeasuredViews} not`,
    ],
  ];
}

function triggerFacts({ pending, standing }: Inspection['triggers']): string[][] {
  return [
    ...standing.map(({ trigger, causeAt }) => [trigger, `fired, about ${timeText(causeAt)}`]),
    ...pending.map(({ trigger, causeAt, dueAt }) => [
      trigger,
      `fires ${timeText(dueAt)} if nothing happens, about ${timeText(causeAt)}`,
    ]),
  ];
}

function measuresText({ traits, ages }: Inspection['profile']): string {
  const rows = MEASURES.filter((measure) => WINDOWS.some((window) => traits[measure][window] !== 0)).map((measure) => [
    measure,
    ...WINDOWS.map((window) => String(traits[measure][window])),
    String(ages[measure] ?? ''),
  ]);
  return rows.length === 0 ? '' : columns([['measure', ...WINDOWS, 'age in days'], ...rows]);
}

function ratiosText({ ratios }: Inspection['profile']): string {
  const rows = Object.entries(ratios).map(([ratio, values]) => {
    return [ratio, ...WINDOWS.map((window) => values[window]?.toFixed(3) ?? '')];
  });
  return rows.length === 0 ? '' : columns([['ratio', ...WINDOWS], ...rows]);
}
