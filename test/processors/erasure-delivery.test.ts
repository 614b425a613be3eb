import { expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { createCustomer } from '../../processors/customer/processor.ts';
import { storeName } from '../../processors/runtime/pipeline-ports.ts';
import type { LogRecord } from '../../processors/runtime/ports.ts';
import type { CustomerEvent } from '../../schemas/types.ts';
import { documentsOf, foldWithCrash, uniqueByPosition, type Folding } from '../harness/folding-with-crash.ts';
import { DAY, definitions, event, HOUR, MIDNIGHT } from './customer-fixture.ts';

const RULES = definitions({
  viewers: { 'traits.page_views.lifetime': { $gte: 1 } },
  quiet: { 'ages.interactions': { $gte: 2 } },
});
const SUBJECTS = ['u:1', 'u:2', 'u:3', 'u:4'];
const ERASED = 'u:2';
const ERASED_AT = MIDNIGHT + 5 * DAY + 1;

/** Four customers over ten days, one of whom is erased amid it; then what was before comes again. */
function input(): LogRecord[] {
  const records: LogRecord[] = [];
  const write = (value: CustomerEvent, timestamp: number): void => {
    const position = Buffer.from(`kizuna.intake.v1@1/interactions.v1/0:${records.length}.0`);
    const key = Buffer.from(`acme|${value.subject}`);
    const headers = { position };
    records.push({ offset: records.length, timestamp, key, value: Buffer.from(JSON.stringify(value)), headers });
  };
  for (let n = 0; n < 80; n++) {
    const at = MIDNIGHT + n * 3 * HOUR;
    const subject = SUBJECTS[n % SUBJECTS.length] ?? ERASED;
    if (subject !== ERASED || at < ERASED_AT) write(event({ eventId: `e-${n}`, occurredAt: at }, subject), at);
    if (n === 40) {
      const identity = { subject: ERASED, via: null, state: null, at: ERASED_AT };
      write({ ...event({}, ERASED), kind: 'ERASE', interaction: null, identity }, ERASED_AT);
    }
    if (n > 40) write(event({ eventId: `again-${n}`, occurredAt: MIDNIGHT + n * HOUR }, ERASED), at + 1);
  }
  return records;
}

test('a crash before or after any durable effect neither undoes an erasure nor tells of it otherwise', async () => {
  const folding: Folding = {
    ...{ create: () => createCustomer(RULES), at: { topic: 'customer-events.v1', partition: 0 } },
    ...{ records: input(), end: MIDNIGHT + 20 * DAY, batchRecords: 12 },
  };
  const whole = await foldWithCrash(folding, Number.POSITIVE_INFINITY);
  const outputs = uniqueByPosition(whole.sent).sort();
  expect(outputs.filter((line) => line.includes(`acme|${ERASED}`) && line.endsWith(' '))).toHaveLength(2);
  const customer = folding.create();
  expect(whole.points).toBeGreaterThan(20);
  for (let nth = 1; nth <= whole.points; nth++) {
    const crashed = await foldWithCrash(folding, nth);
    expect(crashed.crashes).toBe(1);
    expect(uniqueByPosition(crashed.sent).sort(), `crash at ${nth}`).toEqual(outputs);
    expect(documentsOf(folding, crashed), `crash at ${nth}`).toEqual(documentsOf(folding, whole));
    const [stored] = await crashed.store.documents(storeName(customer)).load([`acme|${ERASED}`]);
    const state = createCustomer(RULES).state.unpack(new ByteReader(stored?.state ?? Buffer.alloc(0)));
    expect(createCustomer(RULES).isErased(state), `crash at ${nth}`).toBe(true);
  }
});
