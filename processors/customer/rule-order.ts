import type { SegmentDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { RuleNode } from './rule-nodes.ts';

/** A segment with its rule parsed. */
export interface ParsedSegment {
  readonly definition: SegmentDefinition;
  readonly rule: RuleNode;
}

/** Each segment a rule names, with the place where it first does. */
export function namedSegments(rule: RuleNode): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  const visit = (node: RuleNode): void => {
    if (node.kind === 'and' || node.kind === 'or') node.children.forEach(visit);
    else if (node.kind === 'member' && !named.has(node.segmentId)) named.set(node.segmentId, node.at);
  };
  visit(rule);
  return named;
}

/** Where a rule first counts segments or looks for one by a condition, and so needs them all; null when it does not. */
export function countsSegmentsAt(rule: RuleNode): string | null {
  if (rule.kind === 'members') return rule.at;
  if (rule.kind !== 'and' && rule.kind !== 'or') return null;
  for (const child of rule.children) {
    const at = countsSegmentsAt(child);
    if (at !== null) return at;
  }
  return null;
}

/**
 * The segments that are counted: those whose rules do not count segments, nor name one that does, however far away. So
 * counting is no circle, and its outcome does not depend on an order among those that count.
 */
export function countedSegments(segments: readonly ParsedSegment[]): ReadonlySet<string> {
  const counting = new Set(segments.filter(({ rule }) => countsSegmentsAt(rule) !== null).map(idOf));
  for (let before = -1; before !== counting.size;) {
    before = counting.size;
    for (const segment of segments) {
      if ([...namedSegments(segment.rule).keys()].some((id) => counting.has(id))) counting.add(idOf(segment));
    }
  }
  return new Set(segments.map(idOf).filter((id) => !counting.has(id)));
}

function idOf({ definition }: ParsedSegment): string {
  return definition.id;
}

/** Names that lead nowhere: no such segment, or one that not every brand of the naming segment has. */
export function referenceFaults(segments: readonly ParsedSegment[]): Fault[] {
  const known = new Map(segments.map((segment) => [segment.definition.id, segment.definition.brands]));
  const counted = countedSegments(segments);
  return segments.flatMap(({ definition, rule }) => {
    const counts = countsSegmentsAt(rule) !== null;
    return [...namedSegments(rule)].flatMap(([id, where]): Fault[] => {
      const brands = known.get(id);
      if (brands === undefined) return [{ where, message: `unknown segment "${id}"${suggestion(id, known.keys())}` }];
      if (counts && id !== definition.id && !counted.has(id)) {
        const message = `segment "${id}" counts segments itself, or names one that does, so a rule that counts them cannot name it`;
        return [{ where, message }];
      }
      if (brands.includes('*')) return [];
      const without = definition.brands.filter((brand) => !brands.includes(brand));
      if (without.length === 0) return [];
      const which = without.includes('*') ? 'every brand' : without.join(', ');
      return [
        {
          where,
          message: `segment "${id}" is for ${brands.join(', ')} only, but this one is for ${which}; give both the same brands`,
        },
      ];
    });
  });
}

/**
 * The segments so that each comes after those it names or counts, ties by id; those of a circle are left out and reported,
 * each circle once.
 */
export function orderSegments(segments: readonly ParsedSegment[], faults: Fault[]): ParsedSegment[] {
  const byId = new Map(segments.map((segment) => [idOf(segment), segment]));
  const counted = countedSegments(segments);
  const ordered: ParsedSegment[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (id: string): void => {
    const segment = byId.get(id);
    if (segment === undefined || done.has(id)) return;
    if (open.includes(id)) {
      const circle = [...open.slice(open.indexOf(id)), id];
      faults.push({
        where: `${segment.definition.file}: where`,
        message: `segments name each other in a circle: ${circle.join(' → ')}`,
      });
      return;
    }
    open.push(id);
    for (const named of [...namedSegments(segment.rule).keys()].sort()) visit(named);
    open.pop();
    done.add(id);
    ordered.push(segment);
  };
  for (const id of [...counted].sort()) visit(id);
  for (const id of [...byId.keys()].sort()) visit(id);
  return ordered;
}
