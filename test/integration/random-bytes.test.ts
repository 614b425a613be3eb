import { expect, test } from 'vitest';
import { REJECT_REASONS } from '../../processors/core/reasons.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { Random } from '../../processors/simulation/random.ts';
import { purchaseInteraction } from '../harness/cdnow.ts';
import { accountsOf, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { readTopic, untilFolded, type TopicRecord } from '../harness/topic-records.ts';

const INPUT = 'interactions.v1';
/** 2026-05-04T10:07:00Z; every record has this time. */
const AT = Date.UTC(2026, 4, 4, 10, 7);
const RANDOM_RECORDS = 10_000;
/** After so many random records comes a good one. */
const GOOD_EVERY = 100;
const SEED = 20260504;
const FRAME_BYTES = 5;

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** Anything; a known frame before anything; a good event cut short or longer; a good event with a few bytes changed. */
function randomValue(random: Random, good: Buffer): Buffer {
  switch (random.below(4)) {
    case 0:
      return randomBytes(random, random.below(400));
    case 1:
      return Buffer.concat([good.subarray(0, FRAME_BYTES), randomBytes(random, random.below(400))]);
    case 2: {
      const length = random.below(good.length);
      return random.chance(0.5) ? good.subarray(0, length) : Buffer.concat([good, randomBytes(random, 1 + length)]);
    }
    default: {
      const changed = Buffer.from(good);
      for (let left = 1 + random.below(4); left > 0; left--) changed[random.below(changed.length)] = random.below(256);
      return changed;
    }
  }
}

function recordsOf(place: PipelinePlace, random: Random): { sent: OutgoingRecord[]; good: number } {
  const sent: OutgoingRecord[] = [];
  let good = 0;
  const event = (): Buffer =>
    place.codec.encode(INPUT, purchaseInteraction({ line: good, customer: 'c-1', at: AT, cents: 100 }));
  const send = (value: Buffer): void => {
    sent.push({ topic: INPUT, key: Buffer.from(`k${sent.length}`), value, timestamp: AT, headers: {} });
  };
  for (let index = 1; index <= RANDOM_RECORDS; index++) {
    send(randomValue(random, event()));
    if (index % GOOD_EVERY !== 0) continue;
    send(event());
    good += 1;
  }
  return { sent, good };
}

describeWithServices(`${RANDOM_RECORDS} random byte strings (seed ${SEED})`, () => {
  test('end in one named outcome each, refused ones as dead letters with the same bytes, good ones folded', async () => {
    await using place = await pipelinePlace('random-bytes', { time: 'record', partitions: 1 });
    await using kizuna = await place.start();
    const { sent, good } = recordsOf(place, new Random(SEED));
    await place.emitter.send(sent);
    await untilFolded(place, sent.length, { withinMs: 90_000, failed: kizuna.pipeline.failed });

    const { intake, customer } = accountsOf(await scrape(kizuna.url));
    expect(intake).toMatchObject({ consumed: sent.length, missing: 0 });
    expect(customer).toMatchObject({ missing: 0 });
    const refused = Object.entries(intake?.outcomes ?? {}).filter(([name]) => name.startsWith('rejected.'));
    for (const [name] of refused) expect(REJECT_REASONS).toContain(name.slice('rejected.'.length));
    // Most are refused, for several reasons: else the bytes were not random enough to say anything.
    const count = refused.reduce((sum, [, records]) => sum + records, 0);
    expect(count).toBeGreaterThan(RANDOM_RECORDS / 2);
    expect(refused.length).toBeGreaterThan(3);

    const letters: TopicRecord[] = [];
    await readTopic(place, 'interactions.v1.kizuna.intake.v1.dlq', (records) => void letters.push(...records));
    expect(letters).toHaveLength(count);
    const reasons: Record<string, number> = {};
    for (const letter of letters) {
      const original = sent[Number(letter.headers['dlq.offset']?.toString())];
      expect(letter.value).toEqual(original?.value);
      expect(letter.key).toEqual(original?.key);
      const reason = `rejected.${letter.headers['dlq.code']?.toString() ?? ''}`;
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    expect(reasons).toEqual(Object.fromEntries(refused));
    expect(customer?.outcomes['applied']).toBeGreaterThanOrEqual(good);
  });
});
