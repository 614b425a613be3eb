import { subjectKey } from '../core/identity.ts';
import { ByteReader } from '../core/packing.ts';
import { splitTouchpointKey } from '../core/touchpoint-key.ts';
import { isErasedCase } from '../touchpoint/case-state.ts';
import { touchpointPacking } from '../touchpoint/state.ts';
import type { Sought } from './erasure-subjects.ts';
import { CUSTOMER, TOUCHPOINT, type ErasureWorld, type Journaled } from './erasure-world.ts';

/**
 * What a state tells of somebody who is sought: that of a customer, or of a case; or of another identifier that is linked to one
 * of theirs. That an operator parted another customer from them is a mark: it only refuses a link.
 */
export function toldBy(
  { customer }: ErasureWorld,
  processor: Journaled,
  key: string,
  packed: Buffer,
  sought: Sought,
): 'found' | 'mark' | null {
  if (processor === TOUCHPOINT) {
    const { brandId, last } = splitTouchpointKey(key);
    if (!sought.has(subjectKey(brandId, last))) return null;
    const state = touchpointPacking.unpack(new ByteReader(packed));
    return state.kind === 'case' && isErasedCase(state) ? 'mark' : 'found';
  }
  if (processor !== CUSTOMER) return null;
  const state = customer.state.unpack(new ByteReader(packed));
  if (sought.has(key)) return customer.isErased(state) ? 'mark' : 'found';
  const { redirect, held, unlinked } = customer.links(state);
  const names = (subject: string | null): boolean => subject !== null && sought.has(subjectKey(state.brandId, subject));
  if (names(redirect) || held.some(({ subject, via }) => names(subject) || names(via))) return 'found';
  return unlinked.some(names) ? 'mark' : null;
}
