import { isInBytes } from './erasure-bytes.ts';
import { brandOf, isInFields } from './erasure-fields.ts';
import { keysInKey } from './erasure-keys.ts';
import type { Sought } from './erasure-subjects.ts';

/**
 * Whether a record names somebody who is sought. `topic`: whose records look so, of a dead letter where it was refused; empty when
 * nobody knows. `value`: decoded, null for a tombstone, or the bytes that say nothing.
 */
export function isAbout(sought: Sought, topic: string, key: Buffer | null, value: object | null): boolean {
  const fields = value === null || Buffer.isBuffer(value) ? null : value;
  if (key !== null) {
    const brand = fields === null ? null : brandOf(fields, null);
    if (keysInKey(topic, key.toString(), brand ?? sought.brand).some((each) => sought.has(each))) return true;
  }
  if (Buffer.isBuffer(value)) return isInBytes(sought, value);
  return fields !== null && isInFields(sought, fields, null);
}
