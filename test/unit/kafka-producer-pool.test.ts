import { describe, expect, it } from 'vitest';
import type { KafkaClient } from '../../processors/runtime/kafka/kafka-client.ts';
import { ProducerPool } from '../../processors/runtime/kafka/producer-pool.ts';
import type { Log } from '../../processors/runtime/ports.ts';

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** A pool over producers that note when they connect and disconnect. */
function setUp(size: number) {
  const events: string[] = [];
  const settings: unknown[] = [];
  const refusals: Error[] = [];
  const producer = (options: unknown) => {
    settings.push(options);
    const name = String(settings.length);
    return {
      connect: () => {
        events.push(`connect ${name}`);
        const refusal = refusals.shift();
        return refusal === undefined ? Promise.resolve() : Promise.reject(refusal);
      },
      disconnect: () => {
        events.push(`disconnect ${name}`);
        return Promise.resolve();
      },
    };
  };
  // Only producers are made, and only these two of them are called.
  const client = { prompt: { producer }, patient: {} } as unknown as KafkaClient;
  return { pool: new ProducerPool(client, size, silent), events, settings, refusals };
}

describe('the producer pool', () => {
  it('connects no more than are needed, each idempotent and with one request at a time', async () => {
    const { pool, events, settings } = setUp(3);
    for (let send = 0; send < 3; send++) pool.giveBack(await pool.lend());
    expect(events).toEqual(['connect 1']);
    expect(settings).toMatchObject([{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false }]);
  });

  it('lends each to one at a time; who comes too late waits for one to come back', async () => {
    const { pool, events } = setUp(2);
    const [first, second] = [await pool.lend(), await pool.lend()];
    expect(first).not.toBe(second);
    let third: typeof first | undefined;
    const waiting = pool.lend().then((producer) => {
      third = producer;
    });
    await Promise.resolve();
    expect(third).toBeUndefined();
    pool.giveBack(second);
    await waiting;
    expect(third).toBe(second);
    expect(events).toEqual(['connect 1', 'connect 2']);
  });

  it('replaces one that failed, also for who waits', async () => {
    const { pool, events } = setUp(1);
    const failed = await pool.lend();
    const waiting = pool.lend();
    pool.discard(failed);
    expect(await waiting).not.toBe(failed);
    expect(events.toSorted()).toEqual(['connect 1', 'connect 2', 'disconnect 1']);
  });

  it('is not used up by producers that cannot connect', async () => {
    const { pool, refusals } = setUp(1);
    refusals.push(new Error('refused'), new Error('refused'));
    await expect(pool.lend()).rejects.toThrow('refused');
    await expect(pool.lend()).rejects.toThrow('refused');
    await expect(pool.lend()).resolves.toBeDefined();
  });

  it('closes what is idle', async () => {
    const { pool, events } = setUp(2);
    const both = [await pool.lend(), await pool.lend()];
    for (const producer of both) pool.giveBack(producer);
    await pool.close();
    expect(events.slice(2).toSorted()).toEqual(['disconnect 1', 'disconnect 2']);
  });
});
