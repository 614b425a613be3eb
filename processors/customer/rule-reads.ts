import type { Fault } from '../core/errors.ts';
import type { Comparison } from './rule-comparisons.ts';
import type { RuleNode } from './rule-nodes.ts';
import type { ParsedSegment } from './rule-order.ts';
import type { RulePath } from './rule-paths.ts';
import { SEQUENCES_MAX, type Sequence } from './sequences.ts';

/** What rules read, and whether all their brands have it. */

const SEGMENTS_PATH: RulePath = {
  path: 'segments',
  feature: { kind: 'segments' },
  domain: { type: 'segments', min: -Infinity, max: Infinity, texts: null, optional: false },
};

/** Every path that the rule reads, with what it is compared with. */
export function pathsOf(rule: RuleNode): [RulePath, readonly Comparison[]][] {
  switch (rule.kind) {
    case 'and':
    case 'or':
      return rule.children.flatMap(pathsOf);
    case 'member':
    case 'members':
      return [[SEGMENTS_PATH, []]];
    case 'compare':
      return [[rule.path, [rule.comparison]]];
  }
}

export function asksSentiment(rule: RuleNode): boolean {
  return pathsOf(rule).some(([{ feature }]) => feature?.kind === 'score' && feature.score === 'sentiment');
}

export function sequencesOf({ rule }: ParsedSegment): Sequence[] {
  return pathsOf(rule).flatMap(([{ feature }]) => (feature?.kind === 'sequence' ? [feature.sequence] : []));
}

/** Measures and ratios that not every brand of a segment has. */
export function brandFaults(segments: readonly ParsedSegment[]): Fault[] {
  return segments.flatMap(({ definition: { file, brands }, rule }) =>
    pathsOf(rule).flatMap(([path]): Fault[] => {
      const own = ownOf(path);
      if (own === null || own.brands.includes('*') || brands.every((brand) => own.brands.includes(brand))) return [];
      const only = `${own.kind} "${own.id}" is for ${own.brands.join(', ')} only`;
      return [{ where: `${file}: where`, message: `"${path.path}": ${only}; give both the same brands` }];
    }),
  );
}

interface Own {
  readonly kind: 'measure' | 'ratio';
  readonly id: string;
  readonly brands: readonly string[];
}

/** What a brand's owner defined that the path shows; null for the product's own. */
function ownOf({ feature }: RulePath): Own | null {
  if (feature?.kind === 'own_ratio') return { kind: 'ratio', ...feature.ratio.definition };
  if (feature?.kind !== 'measured' && feature?.kind !== 'measured_age') return null;
  return { kind: 'measure', ...feature.measure.definition };
}

/** Brands whose segments name more sequences than are allowed. */
export function sequenceFaults(segments: readonly ParsedSegment[]): Fault[] {
  const brands = new Set(segments.flatMap(({ definition }) => definition.brands));
  return [...brands].flatMap((brand) => {
    const own = segments.filter(
      ({ definition }) => definition.brands.includes('*') || definition.brands.includes(brand),
    );
    const { size } = new Set(own.flatMap(sequencesOf).map(({ key }) => key));
    if (size <= SEQUENCES_MAX) return [];
    const whose = brand === '*' ? 'every brand' : `brand ${brand}`;
    return [{ where: 'segments/', message: `name ${size} sequences for ${whose}, and ${SEQUENCES_MAX} are allowed` }];
  });
}
