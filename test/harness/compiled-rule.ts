import type { Fault } from '../../processors/core/errors.ts';
import type { FeatureValue } from '../../processors/customer/features.ts';
import { compileRule } from '../../processors/customer/rule-program.ts';
import { parseRule } from '../../processors/customer/rule-syntax.ts';
import { PATHS, SEGMENT_IDS } from './rule-generators.ts';
import type { Document } from './rule-interpreter.ts';

/** A generated rule, compiled by the product, as a predicate on generated documents. */
export function compiledOn(rule: Document): (document: Document) => boolean {
  const faults: Fault[] = [];
  const parsed = parseRule(rule, 'where', faults);
  if (faults.length > 0) throw new Error(faults.map((fault) => `${fault.where}: ${fault.message}`).join('\n'));
  const paths: readonly string[] = PATHS;
  const ids: readonly string[] = SEGMENT_IDS;
  const matches = compileRule(parsed, {
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
