import { setTimeout as wait } from 'node:timers/promises';
import type { ShopRecord } from '../../processors/simulation/shop.ts';
import type { PipelinePlace } from './pipeline-place.ts';
import { nextRecords, produceShop, replayedInput, type ShopInput } from './shop-input.ts';

const SEND_EVERY_MS = 25;

/** Load that goes on for as long as a test takes. */
export interface Feed extends AsyncDisposable {
  /** Rejects when producing fails. */
  readonly failed: Promise<never>;
  /** How many records were sent. */
  readonly sent: number;
  /** Sends no more. */
  stop(): Promise<void>;
  /** Sends no more; answers with all that was sent, replayed. */
  finish(): Promise<ShopInput>;
}

/** Sends so many records of `source` a second, whatever becomes of those before (an open loop), until it is finished. */
export function startFeed(
  place: Pick<PipelinePlace, 'codec' | 'emitter'>,
  source: Iterator<ShopRecord>,
  perSecond: number,
): Feed {
  const sent: ShopRecord[] = [];
  const startedAt = performance.now();
  const stop = new AbortController();
  const feeding = (async () => {
    while (!stop.signal.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      const records = nextRecords(source, due - sent.length);
      if (records.length < due - sent.length) throw new Error(`there are no more than ${sent.length} records`);
      await produceShop(place, records);
      sent.push(...records);
      // Cut short when it is finished.
      await wait(SEND_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  const failed = feeding.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  const end = async (): Promise<void> => {
    stop.abort();
    await feeding;
  };
  return {
    failed,
    get sent() {
      return sent.length;
    },
    stop: end,
    finish: async () => {
      await end();
      return replayedInput(sent);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      // Its failure was told by `failed`.
      await feeding.catch(() => undefined);
    },
  };
}
