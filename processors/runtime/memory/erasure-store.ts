import type { ErasureReceipt, ErasureStore } from '../erasure-store.ts';
import type { MemoryStore } from './store.ts';

/** What the commands about erasures need of a store in memory, and receipts that are gone with the process. */
export function createMemoryErasures(store: MemoryStore): ErasureStore {
  const kept = new Map<string, ErasureReceipt>();
  return {
    async *keys(processor, prefix) {
      yield* [...store.documents(processor).keys()].filter((key) => key.startsWith(prefix)).sort();
    },
    async *blocks(processor, at) {
      yield* store.journal(processor).stored(at);
    },
    rewrite: async (processor, block, bodies) => store.journal(processor).rewrite(block, bodies),
    keep: async (receipt) => {
      kept.set(receipt.id, structuredClone(receipt));
    },
    receipts: async (brandId, subject) =>
      [...kept.values()]
        .filter((each) => each.brandId === brandId && each.subjects.includes(subject))
        .map((each) => structuredClone(each)),
    close: async () => undefined,
  };
}
