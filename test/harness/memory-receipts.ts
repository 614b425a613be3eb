import {
  isAbandoned,
  type DeadLetterReceipts,
  type Receipt,
  type ReceiptStamp,
  type ReceiptStatus,
} from '../../processors/runtime/dead-letter-receipts.ts';

/** Receipts in memory; test/contract/dead-letter-receipts.test.ts holds them to what MongoDB does. */
export class MemoryReceipts implements DeadLetterReceipts {
  readonly kept = new Map<string, Receipt>();

  find(ids: readonly string[]): Promise<Map<string, Receipt>> {
    return Promise.resolve(
      new Map(
        ids.flatMap((id) => {
          const receipt = this.kept.get(id);
          return receipt === undefined ? [] : [[id, receipt] as const];
        }),
      ),
    );
  }

  claim(
    letters: readonly { readonly id: string }[],
    status: 'redriving' | 'discarded',
    stamp: ReceiptStamp,
    again: boolean,
  ): Promise<ReadonlySet<string>> {
    const mine = new Set<string>();
    for (const { id } of letters) {
      const there = this.kept.get(id);
      const isFree = there === undefined || (there.status === 'redriving' ? isAbandoned(there, stamp.at) : again);
      if (isFree) this.#write(id, status, stamp);
      if (isFree) mine.add(id);
    }
    return Promise.resolve(mine);
  }

  settle(ids: readonly string[], stamp: ReceiptStamp): Promise<void> {
    for (const id of ids) {
      const there = this.kept.get(id);
      if (there?.run === stamp.run && there.status === 'redriving') this.#write(id, 'redriven', stamp);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #write(id: string, status: ReceiptStatus, stamp: ReceiptStamp): void {
    const event = { ...stamp, status };
    this.kept.set(id, { ...event, history: [...(this.kept.get(id)?.history ?? []), event] });
  }
}
