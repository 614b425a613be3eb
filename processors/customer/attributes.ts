import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';

/** How many attributes a customer has at most: the most recently told stay. */
export const ATTRIBUTES_MAX = 32;

export interface Attribute {
  readonly value: string;
  /** When the event happened that told it. */
  readonly at: Instant;
}

export type Attributes = Map<string, Attribute>;

/**
 * Takes in what an IDENTIFIED event tells: for each name the latest by the time it happened; of two at the same millisecond
 * the greater text, so that the order of arrival never matters. Answers whether anything changed.
 */
export function mergeAttributes(attributes: Attributes, told: Readonly<Record<string, string>>, at: Instant): boolean {
  let changed = false;
  for (const [name, value] of Object.entries(told)) {
    const known = attributes.get(name);
    if (known !== undefined && (known.at > at || (known.at === at && known.value >= value))) continue;
    attributes.set(name, { value, at });
    changed = true;
  }
  while (attributes.size > ATTRIBUTES_MAX) attributes.delete(longestUntold(attributes));
  return changed;
}

/** Takes in everything that was told of the same person under another identifier, by the same rule. */
export function mergeAllAttributes(attributes: Attributes, from: Attributes): void {
  // A computed name may be __proto__ and is a property all the same.
  for (const [name, { value, at }] of from) mergeAttributes(attributes, { [name]: value }, at);
}

function longestUntold(attributes: Attributes): string {
  let found = '';
  let at = Infinity;
  for (const [name, attribute] of attributes) {
    if (attribute.at < at || (attribute.at === at && name > found)) {
      found = name;
      at = attribute.at;
    }
  }
  return found;
}

export function attributeTexts(attributes: Attributes): Record<string, string> {
  // Not by assignment: an attribute may be called __proto__.
  return Object.fromEntries([...attributes].map(([name, { value }]) => [name, value]));
}

export function writeAttributes(attributes: Attributes, writer: ByteWriter): void {
  if (attributes.size === 0) return;
  writer.uint(attributes.size);
  // By name, so that equal attributes are equal bytes.
  for (const name of [...attributes.keys()].sort()) {
    const attribute = attributes.get(name);
    if (attribute === undefined) continue;
    writer.string(name);
    writer.string(attribute.value);
    writer.uint(attribute.at);
  }
}

export function readAttributes(reader: ByteReader): Attributes {
  const attributes: Attributes = new Map();
  for (let left = reader.uint(); left > 0; left--) {
    const name = reader.string();
    attributes.set(name, { value: reader.string(), at: reader.uint() });
  }
  return attributes;
}
