import type { Kizuna } from '../main.ts';

const MEASURE_EVERY_MS = 250;

/**
 * How many records wait for some processor. Brokers are asked at most four times a second; in between, what was sent since
 * counts as waiting, so that the answer errs on the side of patience.
 */
export class ShopLag {
  #measuredAt = Number.NEGATIVE_INFINITY;
  #records = 0;

  sent(records: number): void {
    this.#records += records;
  }

  async records(kizuna: Kizuna | null): Promise<number> {
    const now = performance.now();
    if (kizuna !== null && now - this.#measuredAt >= MEASURE_EVERY_MS) {
      this.#measuredAt = now;
      this.#records = await measure(kizuna);
    }
    return this.#records;
  }
}

async function measure({ pipeline, services }: Kizuna): Promise<number> {
  let lag = 0;
  for (const member of pipeline.members) {
    const positions = await member.positions();
    for (const topic of member.processor.inputs) {
      const ends = new Map((await services.log.ranges(topic)).map(({ partition, end }) => [partition, end]));
      for (const { partition, next } of positions.filter((at) => at.topic === topic)) {
        lag += Math.max(0, (ends.get(partition) ?? next) - next);
      }
    }
  }
  return lag;
}
