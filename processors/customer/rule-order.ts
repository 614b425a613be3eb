import type { SegmentDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import type { RuleNode } from './rule-syntax.ts';

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

/** Names that lead nowhere: no such segment, or one that not every brand of the naming segment has. */
export function referenceFaults(segments: readonly ParsedSegment[]): Fault[] {
  const known = new Map(segments.map((segment) => [segment.definition.id, segment.definition.brands]));
  return segments.flatMap(({ definition, rule }) =>
    [...namedSegments(rule)].flatMap(([id, where]): Fault[] => {
      const brands = known.get(id);
      if (brands === undefined) return [{ where, message: `unknown segment "${id}"${suggestion(id, known.keys())}` }];
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
    }),
  );
}

/**
 * The segments so that each comes after those it names, ties by id; those of a circle are left out and reported, each
 * circle once.
 */
export function orderSegments(segments: readonly ParsedSegment[], faults: Fault[]): ParsedSegment[] {
  const byId = new Map(segments.map((segment) => [segment.definition.id, segment]));
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
  for (const id of [...byId.keys()].sort()) visit(id);
  return ordered;
}
