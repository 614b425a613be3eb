import { topicOf, type TopicName } from '../../topics/catalog.ts';
import { subjectKey } from '../core/identity.ts';
import { placeOfCase, splitTouchpointKey } from '../core/touchpoint-key.ts';

const CASE_DOCUMENTS: TopicName = 'touchpoint-events.v1';
const CASES: TopicName = 'cases.v1';

/** What stands in front of identifiers to make subjects of them. */
export const KINDS = ['u:', 'e:', 'a:'] as const;

/**
 * The customers' keys that the key of a record may stand for: whole, by what keys its topic has. On an input a brand chooses its
 * keys, so that an identifier alone is one of `brand`, the value's own. An empty topic: nobody knows which, so any.
 */
export function keysInKey(topic: string, text: string, brand: string): string[] {
  if (topic === CASE_DOCUMENTS) return [keyOfCaseDocument(text)];
  if (topic === CASES) return keysOfCase(text);
  if (topic !== '' && topicOf(topic).role !== 'input') return [text];
  const chosen = [text, subjectKey(brand, text), ...KINDS.map((kind) => subjectKey(brand, kind + text))];
  return topic === '' ? [...chosen, keyOfCaseDocument(text), ...keysOfCase(text)] : chosen;
}

function keyOfCaseDocument(text: string): string {
  const { brandId, last } = splitTouchpointKey(text);
  return subjectKey(brandId, last);
}

function keysOfCase(text: string): string[] {
  const bar = text.indexOf('|');
  const brand = text.slice(0, bar);
  const place = placeOfCase(brand, text.slice(bar + 1));
  return place === null ? [] : [subjectKey(brand, place.subject)];
}
