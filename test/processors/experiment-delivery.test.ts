import { expect, test } from 'vitest';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import { createExperiment } from '../../processors/experiment/processor.ts';
import { experiment, withExperiments } from '../harness/experiments.ts';
import { documentsOf, foldWithCrash, uniqueByPosition, type Folding } from '../harness/folding-with-crash.ts';
import { experimentEvent, MINUTE, T, unit } from './experiment-fixture.ts';

const AT = { topic: 'experiment-events.v1', partition: 0 };
const END = T + 90 * MINUTE;
const definitions = withExperiments([experiment(), experiment({ id: 'link' })]);

/** Units of two experiments that come, change, and now and then go; some of it written twice. */
function input(): LogRecord[] {
  const records: LogRecord[] = [];
  for (let n = 0; n < 90; n++) {
    const experimentId = n % 3 === 0 ? 'link' : 'button';
    const of = (revenue: number) =>
      unit(n % 2 === 0 ? 'A' : 'B', { ordered: revenue > 0 ? 1 : 0, revenue, complaints: 0 });
    const steps = [null, of(0), ...(n % 4 === 0 ? [of(1000 + n)] : []), ...(n % 10 === 0 ? [null] : [])];
    for (const [step, after] of steps.entries()) {
      if (step === 0) continue;
      const before = steps[step - 1] ?? null;
      const occurredAt = T + n * MINUTE + step * 7000;
      const value = Buffer.from(
        JSON.stringify(experimentEvent({ experimentId, subject: `u:${n}`, before, after, occurredAt })),
      );
      const headers = { position: Buffer.from(`kizuna.upstream.v1@1/customer-events.v1/0:${n}.${step}`) };
      for (let time = 0; time < (n % 7 === 0 ? 2 : 1); time++) {
        records.push({
          offset: records.length,
          timestamp: occurredAt,
          key: Buffer.from(`acme|${experimentId}`),
          value,
          headers,
        });
      }
    }
  }
  return records;
}

const foldingOf = (records: readonly LogRecord[]): Folding => ({
  ...{ create: () => createExperiment(definitions), at: AT, records, end: END, batchRecords: 15 },
});

test('a crash before or after any durable effect, and repeats from upstream, leave the same documents and outputs', async () => {
  const folding = foldingOf(input());
  const whole = await foldWithCrash(folding, Number.POSITIVE_INFINITY);
  const outputs = uniqueByPosition(whole.sent).sort();
  const topics = new Set(outputs.map((line) => line.split(' ')[0]));
  expect(topics).toEqual(new Set(['experiment-results.v1']));
  expect(whole.points).toBeGreaterThan(30);
  for (let nth = 1; nth <= whole.points; nth++) {
    const crashed = await foldWithCrash(folding, nth);
    expect(crashed.crashes).toBe(1);
    expect(uniqueByPosition(crashed.sent).sort(), `crash at ${nth}`).toEqual(outputs);
    expect(documentsOf(folding, crashed), `crash at ${nth}`).toEqual(documentsOf(folding, whole));
  }
});
