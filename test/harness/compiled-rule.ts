import type { Fault } from '../../processors/core/errors.ts';
import type { FeatureValue } from '../../processors/customer/features.ts';
import type { RuleNode } from '../../processors/customer/rule-nodes.ts';
import { compileRule } from '../../processors/customer/rule-program.ts';
import { parseRule, profileVocabulary } from '../../processors/customer/rule-syntax.ts';
import { compileRatios } from '../../processors/customer/user-ratios.ts';
import { ratioOf } from './definition-sets.ts';
import { PATHS, SEGMENT_IDS } from './rule-generators.ts';
import type { Document } from './rule-interpreter.ts';

/** A generated rule as the product reads it, for a brand with the ratio that is among `PATHS`. */
export function parsedOn(rule: Document): RuleNode {
  const faults: Fault[] = [];
  const basket = compileRatios([ratioOf('basket', 'revenue', 'orders')], new Map(), faults);
  const own = { measures: new Map(), ratios: new Map(basket.map((ratio) => [ratio.definition.id, ratio])) };
  const parsed = parseRule(rule, 'where', faults, profileVocabulary(own, null));
  if (faults.length > 0) throw new Error(faults.map((fault) => `${fault.where}: ${fault.message}`).join('\n'));
  return parsed;
}

/** The same, compiled, as a predicate on generated documents. */
export function compiledOn(rule: Document): (document: Document) => boolean {
  const paths: readonly string[] = PATHS;
  const ids: readonly string[] = SEGMENT_IDS;
  const matches = compileRule(parsedOn(rule), {
    slotOf: ({ path }) => paths.indexOf(path),
    memberOf: (id) => ids.indexOf(id),
    counted: new Map(ids.map((id, place) => [id, place])),
  });
  return (document) => {
    const members = Uint8Array.from(ids, (id) => ((document['segments'] as readonly string[]).includes(id) ? 1 : 0));
    return matches(
      paths.map((path) => valueAt(document, path)),
      members,
    );
  };
}

/** Generated documents hold more types than the profile view; the program must not care. */
function valueAt(document: Document, path: string): FeatureValue {
  const names = path.split('.');
  return names.reduce<unknown>((at, name) => (at as Document | undefined)?.[name], document) as FeatureValue;
}
