import { subjectKey } from '../core/identity.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import type { ErasureReceipt } from '../runtime/erasure-store.ts';
import { hashOf } from './erasure-subjects.ts';
import { CUSTOMER, type ErasureWorld } from './erasure-world.ts';

/**
 * Every receipt that names one of these identifiers, or one that such a receipt names. `isWanted`: others are not followed.
 */
export async function receiptsAbout(
  { erasures }: Pick<ErasureWorld, 'erasures'>,
  brand: string,
  hashes: Iterable<string>,
  isWanted: (receipt: ErasureReceipt) => boolean = () => true,
): Promise<ErasureReceipt[]> {
  const receipts = new Map<string, ErasureReceipt>();
  const named = new Set(hashes);
  // What is added while it is gone through comes later.
  for (const hash of named) {
    for (const receipt of await erasures.receipts(brand, hash)) {
      if (!isWanted(receipt)) continue;
      receipts.set(receipt.id, receipt);
      for (const each of receipt.subjects) named.add(each);
    }
  }
  return [...receipts.values()];
}

/** An erasure that was ordered and not seen to be carried out: whoever asks again takes it along. */
export function isOpen({ finishedAt }: ErasureReceipt): boolean {
  return finishedAt === null;
}

/** The subjects that stand behind hashes, as far as a document of theirs is stored: an erased one is, too. */
export async function subjectsBehind(
  { erasures }: Pick<ErasureWorld, 'erasures'>,
  brand: string,
  hashes: ReadonlySet<string>,
  erasureKey: string,
): Promise<string[]> {
  const left = new Set(hashes);
  const subjects: string[] = [];
  if (left.size === 0) return subjects;
  const prefix = subjectKey(brand, '');
  for await (const key of erasures.keys(storeName(CUSTOMER), prefix)) {
    if (left.delete(hashOf(erasureKey, key))) subjects.push(key.slice(prefix.length));
    if (left.size === 0) break;
  }
  return subjects;
}
