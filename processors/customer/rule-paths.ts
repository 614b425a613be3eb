import { AFFINITY_DIMENSIONS, type AffinityDimension } from '../core/affinity-settings.ts';
import { suggestion } from '../core/nearest-name.ts';
import { CHANNEL_NAMES } from './event-fields.ts';
import { CHURN_BANDS, MEASURES, RATIOS, WINDOWS } from './features.ts';
import { LIFECYCLES } from './lifecycle.ts';
import { SCORES, type ScoreName } from './scores.ts';
import { STAGES } from './stages.ts';
import type { Feature, Measure, Ratio, Window } from './features.ts';
import type { UserRatio } from './user-ratios.ts';
import type { UserMeasure } from './user-measures.ts';

/** Which values a path can take: rules are checked against it, so that one that can never be true is refused. */
export interface Domain {
  readonly type: 'integer' | 'number' | 'text' | 'boolean' | 'segments';
  readonly min: number;
  readonly max: number;
  /** The only texts possible; null for any. */
  readonly texts: readonly string[] | null;
  /** The path can be missing from the view. */
  readonly optional: boolean;
}

export interface RulePath {
  readonly path: string;
  /** Null for a field of an event. */
  readonly feature: Feature | null;
  readonly domain: Domain;
}

/** Sums that a refund or a negative `attributes.points` can take below zero. */
const MAY_BE_NEGATIVE: ReadonlySet<Measure> = new Set(['revenue', 'points_earned', 'points_redeemed']);

const RATIO_NAMES = Object.keys(RATIOS) as Ratio[];
const ANY = { min: -Infinity, max: Infinity, texts: null } as const;

const AFFINITY_DOMAINS: Readonly<Record<AffinityDimension, Domain>> = {
  category: { ...ANY, type: 'text', optional: true },
  product: { ...ANY, type: 'text', optional: true },
  channel: { ...ANY, type: 'text', texts: CHANNEL_NAMES.filter((channel) => channel !== 'UNKNOWN'), optional: true },
  hour: { ...ANY, type: 'integer', min: 0, max: 23, optional: true },
};

/** A survey of the brand's own may have any scale for satisfaction and effort. */
const SCORE_DOMAINS: Readonly<Record<ScoreName, Domain>> = {
  nps: { ...ANY, type: 'integer', min: 0, max: 10, optional: true },
  csat: { ...ANY, type: 'integer', optional: true },
  ces: { ...ANY, type: 'integer', optional: true },
  sentiment: { ...ANY, type: 'number', min: -1, max: 1, optional: true },
};

const KNOWN_PATHS: readonly string[] = [
  ...MEASURES.flatMap((measure) => WINDOWS.map((window) => `traits.${measure}.${window}`)),
  ...RATIO_NAMES.flatMap((ratio) => WINDOWS.map((window) => `ratios.${ratio}.${window}`)),
  ...MEASURES.map((measure) => `ages.${measure}`),
  'churn.probability',
  'churn.band',
  'stage',
  'lifecycle',
  'loyalty.tier',
  'loyalty.points',
  ...AFFINITY_DIMENSIONS.map((dimension) => `affinity.${dimension}`),
  ...SCORES.map((score) => `scores.${score}`),
  'segments',
  'identified',
];

/** Measures and ratios of a brand's own, by id. */
export interface OwnPaths {
  readonly measures: ReadonlyMap<string, UserMeasure>;
  readonly ratios: ReadonlyMap<string, UserRatio>;
}

export const NOTHING_OWN: OwnPaths = { measures: new Map(), ratios: new Map() };

/** The path as a feature of the profile view, or what is wrong with it. */
export function parseRulePath(path: string, own: OwnPaths = NOTHING_OWN): RulePath | string {
  const parts = path.split('.');
  const [head = '', second = '', third = ''] = parts;
  if (head === 'attributes') return attributePath(path, parts);
  const measure = own.measures.get(second);
  const measured = measure === undefined ? undefined : measuredPath(path, head, third, parts.length, measure);
  if (measured !== undefined) return measured;
  const ratio = head === 'ratios' ? own.ratios.get(second) : undefined;
  if (ratio !== undefined && parts.length === 3 && isWindow(third)) {
    return { path, feature: { kind: 'own_ratio', ratio, window: third }, domain: ratio.domain };
  }
  const known = [...KNOWN_PATHS, ...ownPaths(own)];
  const found = KNOWN_PATHS.includes(path) ? featureOf(head, second, third) : undefined;
  if (found !== undefined) return { path, ...found };
  const within = known.find((each) => each.startsWith(`${path}.`));
  if (within !== undefined) return `"${path}" is a group of values; name one of them, for example "${within}"`;
  return `unknown path "${path}"${suggestion(path, known) || siblings(head)}${hint(head, second, third)}`;
}

function ownPaths({ measures, ratios }: OwnPaths): string[] {
  return [
    ...[...measures.keys()].flatMap((id) => [...WINDOWS.map((window) => `traits.${id}.${window}`), `ages.${id}`]),
    ...[...ratios.keys()].flatMap((id) => WINDOWS.map((window) => `ratios.${id}.${window}`)),
  ];
}

function isWindow(name: string): name is Window {
  const windows: readonly string[] = WINDOWS;
  return windows.includes(name);
}

function measuredPath(
  path: string,
  head: string,
  window: string,
  parts: number,
  measure: UserMeasure,
): RulePath | undefined {
  if (head === 'traits' && parts === 3 && isWindow(window)) {
    return { path, feature: { kind: 'measured', measure, window }, domain: measure.domain };
  }
  if (head !== 'ages' || parts !== 2) return undefined;
  return {
    path,
    feature: { kind: 'measured_age', measure },
    domain: { ...ANY, type: 'integer', min: 0, optional: true },
  };
}

function attributePath(path: string, parts: readonly string[]): RulePath | string {
  const [, name = ''] = parts;
  if (parts.length === 1) return '"attributes" is a group of values; name one of them: "attributes.<name>"';
  if (parts.length > 2)
    return `"${path}" reaches inside an attribute, but attributes are plain texts: "attributes.<name>" without further dots`;
  if (name === '' || name.startsWith('$'))
    return `"${path}": an attribute's name is not empty and does not start with $`;
  return { path, feature: { kind: 'attribute', name }, domain: { ...ANY, type: 'text', optional: true } };
}

function featureOf(head: string, second: string, third: string): Omit<RulePath, 'path'> | undefined {
  switch (head) {
    case 'traits': {
      const measure = second as Measure;
      return {
        feature: { kind: 'trait', measure, window: third as Window },
        domain: { ...ANY, type: 'integer', min: MAY_BE_NEGATIVE.has(measure) ? -Infinity : 0, optional: false },
      };
    }
    case 'ratios':
      return {
        feature: { kind: 'ratio', ratio: second as Ratio, window: third as Window },
        domain: { ...ANY, type: 'number', min: 0, optional: true },
      };
    case 'ages':
      return {
        feature: { kind: 'age', measure: second as Measure },
        domain: { ...ANY, type: 'integer', min: 0, optional: true },
      };
    case 'churn':
      return second === 'band'
        ? { feature: { kind: 'churn_band' }, domain: { ...ANY, type: 'text', texts: CHURN_BANDS, optional: true } }
        : {
            feature: { kind: 'churn_probability' },
            domain: { ...ANY, type: 'number', min: 0, max: 1, optional: true },
          };
    case 'stage':
      return { feature: { kind: 'stage' }, domain: { ...ANY, type: 'text', texts: STAGES, optional: true } };
    case 'lifecycle':
      return { feature: { kind: 'lifecycle' }, domain: { ...ANY, type: 'text', texts: LIFECYCLES, optional: true } };
    case 'loyalty':
      return second === 'tier'
        ? { feature: { kind: 'loyalty_tier' }, domain: { ...ANY, type: 'text', optional: true } }
        : { feature: { kind: 'loyalty_points' }, domain: { ...ANY, type: 'integer', optional: true } };
    case 'affinity': {
      const dimension = second as AffinityDimension;
      return { feature: { kind: 'affinity', dimension }, domain: AFFINITY_DOMAINS[dimension] };
    }
    case 'scores': {
      const score = second as ScoreName;
      return { feature: { kind: 'score', score }, domain: SCORE_DOMAINS[score] };
    }
    case 'segments':
      return { feature: { kind: 'segments' }, domain: { ...ANY, type: 'segments', optional: false } };
    case 'identified':
      return { feature: { kind: 'identified' }, domain: { ...ANY, type: 'boolean', optional: false } };
    default:
      return undefined;
  }
}

/** `; "churn" has probability, band`: the names after the first one. */
function siblings(head: string): string {
  const names = KNOWN_PATHS.filter((path) => path.startsWith(`${head}.`)).map((path) => path.split('.')[1] ?? '');
  return names.length === 0 ? '' : `; "${head}" has ${[...new Set(names)].join(', ')}`;
}

function hint(head: string, second: string, third: string): string {
  const measures: readonly string[] = MEASURES;
  if (head === 'traits' && measures.includes(second) && !isWindow(third)) return ` (windows: ${WINDOWS.join(' ')})`;
  if (head === 'segments') return ' (write {"segments": "<id>"})';
  return '';
}
