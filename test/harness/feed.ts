import { setTimeout as wait } from 'node:timers/promises';
import type { ShopRecord } from '../../processors/simulation/shop.ts';
import type { PipelinePlace } from './pipeline-place.ts';
import { nextRecords, produceShop, replayedInput, shopRecords, type Shop, type ShopInput } from './shop-input.ts';

const SEND_EVERY_MS = 25;

/** Load that goes on for as long as a test takes. */
export interface Feed extends AsyncDisposable {
  /** Rejects when producing fails. */
  readonly failed: Promise<never>;
  /** How many records were sent. */
  readonly sent: number;
  /** Sends no more; answers with all that was sent, replayed. */
  finish(): Promise<ShopInput>;
}

/** Sends what a shop logs, so many records a second, whatever becomes of those before (an open loop), until it is finished. */
export function startFeed(place: Pick<PipelinePlace, 'codec' | 'emitter'>, shop: Shop, perSecond: number): Feed {
  const source = shopRecords(shop);
  const sent: ShopRecord[] = [];
  const startedAt = performance.now();
  const stop = new AbortController();
  const feeding = (async () => {
    while (!stop.signal.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      const records = nextRecords(source, due - sent.length);
      if (records.length < due - sent.length) throw new Error(`the shop logs no more than ${sent.length} records`);
      await produceShop(place, records);
      sent.push(...records);
      // Cut short when it is finished.
      await wait(SEND_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  const failed = feeding.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  return {
    failed,
    get sent() {
      return sent.length;
    },
    finish: async () => {
      stop.abort();
      await feeding;
      return replayedInput(sent);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      // Its failure was told by `failed`.
      await feeding.catch(() => undefined);
    },
  };
}
