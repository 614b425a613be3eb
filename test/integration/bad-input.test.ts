import avro from 'avsc';
import { expect, test } from 'vitest';
import { REJECT_REASONS, SKIP_REASONS, type RejectReason } from '../../processors/core/reasons.ts';
import { connectRegistry } from '../../processors/runtime/registry/registry.ts';
import type { OutgoingRecord } from '../../processors/runtime/ports.ts';
import { recordSchema } from '../../schemas/records.ts';
import type { Interaction, Order } from '../../schemas/types.ts';
import { purchaseInteraction } from '../harness/cdnow.ts';
import { accountsOf, scrape } from '../harness/metrics-text.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { readTopic, untilFolded, type TopicRecord } from '../harness/topic-records.ts';

const INPUT = 'interactions.v1';
const EVENTS = 'customer-events.v1';
/** 2026-05-04T10:07:00Z; every record has this time. */
const AT = Date.UTC(2026, 4, 4, 10, 7);
const DAY_MS = 86_400_000;
const UNKNOWN_FRAME = Buffer.from([0, 0x7f, 0xff, 0xff, 0xf0, 1, 2, 3]);

let events = 0;

/** A valid page view with an event id of its own, and `changes`. */
function event(changes: Partial<Interaction> = {}): Interaction {
  const line = events++;
  const view = { ...purchaseInteraction({ line, customer: 'c-1', at: AT, cents: 0 }), type: 'PAGE_VIEW', order: null };
  return { ...(view as Interaction), ...changes };
}

const order = (changes: Partial<Order> = {}): Order => ({
  ...{ orderId: `o-${events}`, amountMinor: 100, currency: 'USD', guest: false, items: [] },
  ...changes,
});

/** What an interaction that intake refuses looks like, by reason. */
const REFUSED: Partial<Record<RejectReason, Partial<Interaction>>> = {
  invalid_brand: { brandId: 'Demo Shop' },
  invalid_event_id: { eventId: 'e'.repeat(129) },
  invalid_identifier: { emailHash: 'someone at example.com' },
  no_identifier: { userId: 'guest' },
  future_timestamp: { occurredAt: AT + 300_001 },
  missing_order: { type: 'ORDER_PLACED' },
  invalid_order: { type: 'ORDER_PLACED', order: order({ currency: 'dollars' }) },
  missing_score: { type: 'SURVEY_ANSWERED' },
  invalid_score: { type: 'SURVEY_ANSWERED', score: { metric: 'NPS', value: 11, surveyId: null } },
  too_many_attributes: { attributes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, ''])) },
  field_too_long: { text: 't'.repeat(32_769) },
};

/** Bytes that say nothing, each with the reason. */
function unreadable({ codec }: PipelinePlace): [RejectReason, Buffer | null][] {
  const whole = codec.encode(INPUT, event());
  const command = codec.encode('commands.v1', {
    ...{ commandId: 'c', brandId: 'demo', kind: 'ERASE', issuedAt: AT, issuedBy: 'me', subject: 'u:1' },
    ...{ target: null, reason: null },
  });
  return [
    ['null_value', null],
    ['undecodable', Buffer.alloc(0)],
    ['undecodable', Buffer.from('{"eventId":"e-1"}')],
    ['undecodable', whole.subarray(0, 4)],
    ['undecodable', whole.subarray(0, whole.length - 1)],
    ['undecodable', Buffer.concat([whole, Buffer.from([0])])],
    ['unknown_schema', UNKNOWN_FRAME],
    // A schema that the registry has, of another record.
    ['unknown_schema', command],
  ];
}

/** An interaction of a type that only a newer version of the schema has. */
async function byNewerWriter(place: PipelinePlace): Promise<Buffer> {
  const schema = JSON.parse(JSON.stringify(recordSchema('Interaction'))) as {
    fields: { name: string; type: { symbols: string[] } }[];
  };
  schema.fields.find(({ name }) => name === 'type')?.type.symbols.push('HOLOGRAM_WAVED');
  const registry = connectRegistry({ url: place.schemaRegistryUrl });
  const subject = `${place.prefix}${INPUT}-value`;
  const { id, version } = await registry.register(subject, JSON.stringify(schema), 'BACKWARD_TRANSITIVE');
  await registry.close();
  expect(version).toBe(2);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(id, 1);
  const type = avro.Type.forSchema(schema as unknown as avro.Schema, { wrapUnions: false });
  return Buffer.concat([frame, type.toBuffer({ ...event(), type: 'HOLOGRAM_WAVED' })]);
}

/** Understood, and rightly without effect: by reason, after what makes it so. */
const SKIPPED: readonly (readonly Partial<Interaction>[])[] = [
  [{ eventId: 'twice' }, { eventId: 'twice' }],
  [
    { type: 'ORDER_PLACED', order: order({ orderId: 'once' }) },
    { type: 'ORDER_PLACED', order: order({ orderId: 'once' }) },
  ],
  [{ occurredAt: AT - 400 * DAY_MS }],
  [
    ...Array.from({ length: 64 }, (_, index): Partial<Interaction> => {
      return { userId: 'c-2', type: 'ORDER_PLACED', order: order({ orderId: `many-${index}` }) };
    }),
    { userId: 'c-2', type: 'ORDER_CANCELLED', order: order({ orderId: 'of long ago' }) },
  ],
];

async function deadLetters(place: PipelinePlace, topic: string): Promise<TopicRecord[]> {
  const letters: TopicRecord[] = [];
  await readTopic(place, topic, (records) => void letters.push(...records));
  return letters;
}

/** A dead letter under the offset that it names, as far as it must equal the record it stands for. */
function letterRow({ key, value, timestamp, headers: all }: TopicRecord): [number, object] {
  const text = (name: string): string => all[`dlq.${name}`]?.toString() ?? '';
  expect(text('message')).toMatch(/\S/);
  const headers = Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('dlq.header.')));
  const told = { code: text('code'), group: text('group'), stage: text('stage'), redrives: text('redrives') };
  return [Number(text('offset')), { key, value, timestamp, ...told, headers }];
}

const STAGE = (reason: RejectReason): string =>
  ['undecodable', 'null_value', 'unknown_schema'].includes(reason) ? 'decode' : 'fold';
const TRACE = Buffer.from([0, 0xff, 0x20]);

describeWithServices('bad input through Kafka', () => {
  test('gets one named outcome each, a dead letter with the same bytes and headers, and the partition moves on', async () => {
    await using place = await pipelinePlace('bad-input', { time: 'record', partitions: 1 });
    await using kizuna = await place.start();
    const sent: OutgoingRecord[] = [];
    const expected = new Map<number, object>();
    const send = (value: Buffer | null, key: Buffer | null = Buffer.from('c-1')): void => {
      const headers = { trace: TRACE, position: `nobody@1/x/0:${sent.length}.0` };
      sent.push({ topic: INPUT, key, value, timestamp: AT, headers });
    };
    const refused = (code: RejectReason, value: Buffer | null, key: Buffer | null = Buffer.from('c-1')): void => {
      const offset = sent.length;
      send(value, key);
      const headers = { 'dlq.header.trace': TRACE, 'dlq.header.position': Buffer.from(`nobody@1/x/0:${offset}.0`) };
      const told = { code, group: 'kizuna.intake.v1', stage: STAGE(code), redrives: '0' };
      expected.set(offset, { key, value, timestamp: AT, ...told, headers });
      // The next one is good: the partition must get to it.
      send(place.codec.encode(INPUT, event()));
    };
    for (const [reason, bytes] of unreadable(place)) refused(reason, bytes);
    refused('undecodable', Buffer.from('no key either'), null);
    for (const [reason, changes] of Object.entries(REFUSED) as [RejectReason, Partial<Interaction>][]) {
      refused(reason, place.codec.encode(INPUT, event(changes)));
    }
    send(place.codec.encode(INPUT, event({ type: 'UNKNOWN' })));
    send(await byNewerWriter(place));
    for (const changes of SKIPPED.flat()) send(place.codec.encode(INPUT, event(changes)));
    await place.emitter.send(sent);
    await untilFolded(place, sent.length, { withinMs: 30_000, failed: kizuna.pipeline.failed });

    const letters = await deadLetters(place, 'interactions.v1.kizuna.intake.v1.dlq');
    expect(letters).toHaveLength(expected.size);
    expect(new Map(letters.map(letterRow).sort(([a], [b]) => a - b))).toEqual(expected);
    expect(new Set([...expected.values()].map((each) => (each as { code: string }).code))).toEqual(
      new Set(REJECT_REASONS),
    );

    const rejected: Record<string, number> = {};
    for (const { code } of expected.values() as Iterable<{ code: string }>) {
      rejected[`rejected.${code}`] = (rejected[`rejected.${code}`] ?? 0) + 1;
    }
    const passed = sent.length - expected.size - 2;
    const skipped = { duplicate_event: 1, duplicate_order: 1, beyond_horizon: 1, unknown_order: 1 };
    const skips = Object.fromEntries(Object.entries(skipped).map(([reason, count]) => [`skipped.${reason}`, count]));
    const accounts = accountsOf(await scrape(kizuna.url));
    expect(accounts['intake']).toEqual({
      consumed: sent.length,
      outcomes: { applied: passed, 'skipped.unknown_type': 2, ...rejected },
      missing: 0,
    });
    expect(accounts['customer']).toEqual({ consumed: passed, outcomes: { applied: passed - 4, ...skips }, missing: 0 });
    const notYet = ['erased', 'identity_conflict'];
    // Of commands, which are not fed here: test/processors/touchpoint-cases.test.ts.
    const ofCommands = ['unknown_case'];
    expect(new Set(['unknown_type', ...Object.keys(skipped), ...notYet, ...ofCommands])).toEqual(new Set(SKIP_REASONS));
  });

  test('also between the processors', async () => {
    await using place = await pipelinePlace('bad-events', { time: 'record', partitions: 1 });
    await using kizuna = await place.start();
    const key = Buffer.from('cdnow|u:c-1');
    const whole = place.codec.encode(EVENTS, {
      ...{ brandId: 'cdnow', subject: 'u:c-1', kind: 'INTERACTION', interaction: event() },
    });
    const bad: [RejectReason, Buffer | null][] = [
      ['null_value', null],
      ['undecodable', whole.subarray(0, 20)],
      ['unknown_schema', UNKNOWN_FRAME],
    ];
    const records = bad.flatMap(([, value]) => [value, whole]);
    const headers = { trace: TRACE };
    await place.emitter.send(records.map((value) => ({ topic: EVENTS, key, value, timestamp: AT, headers })));
    await untilFolded(place, 0, { withinMs: 30_000, failed: kizuna.pipeline.failed });

    const letters = await deadLetters(place, 'customer-events.v1.kizuna.customer.v1.dlq');
    const where = {
      group: 'kizuna.customer.v1',
      stage: 'decode',
      redrives: '0',
      headers: { 'dlq.header.trace': TRACE },
    };
    expect(letters.map(letterRow)).toEqual(
      bad.map(([code, value], index) => [index * 2, { key, value, timestamp: AT, code, ...where }]),
    );
    for (const { headers } of letters) expect(headers['position']?.toString()).toMatch(/^kizuna\.customer\.v1@1\//);
    expect(accountsOf(await scrape(kizuna.url))['customer']).toEqual({
      consumed: 6,
      // The same event three times over: a record without a position is always folded, and its id tells.
      outcomes: {
        ...{ applied: 1, 'skipped.duplicate_event': 2 },
        ...{ 'rejected.null_value': 1, 'rejected.undecodable': 1, 'rejected.unknown_schema': 1 },
      },
      missing: 0,
    });
  });

  test('that is larger than the limit of any topic once it is unpacked stops no partition', async () => {
    await using place = await pipelinePlace('bad-large', { time: 'record', partitions: 1 });
    await using kizuna = await place.start();
    const zeros = Buffer.alloc(20 * 1024 * 1024, 1);
    const key = Buffer.from('cdnow|u:c-1');
    const headers = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`h${index}`, 'v'.repeat(200)]));
    const wrong = Buffer.from([1]);
    const send = async (topic: string, value: Buffer, own: Record<string, string> = {}): Promise<void> =>
      place.emitter.send([{ topic, key, value, timestamp: AT, headers: own }]);
    const good = (): Buffer => place.codec.encode(INPUT, event());
    // Compressed on its way, as a producer with compression.type=gzip does.
    await send(INPUT, zeros);
    await send(INPUT, wrong, headers);
    await send(INPUT, good());
    await send(EVENTS, zeros);
    await send(EVENTS, wrong, headers);
    await send(INPUT, good());
    await untilFolded(place, 4, { withinMs: 60_000, failed: kizuna.pipeline.failed });

    const told = ({ key: name, value, headers: all }: TopicRecord) => [
      ...[name?.toString(), value?.length ?? null, all['dlq.code']?.toString()],
      ...[all['dlq.truncated']?.toString(), all['dlq.value-bytes']?.toString()],
    ];
    const [large, wide] = await deadLetters(place, 'interactions.v1.kizuna.intake.v1.dlq');
    expect(large?.value?.equals(zeros)).toBe(true);
    expect([large, wide].map((letter) => letter && told(letter))).toEqual([
      [key.toString(), zeros.length, 'undecodable', undefined, undefined],
      [key.toString(), 1, 'undecodable', 'headers', undefined],
    ]);
    const journaled = await deadLetters(place, 'customer-events.v1.kizuna.customer.v1.dlq');
    expect(journaled.map(told)).toEqual([
      [key.toString(), null, 'undecodable', 'value', String(zeros.length)],
      [key.toString(), 1, 'undecodable', 'headers', undefined],
    ]);
    const accounts = accountsOf(await scrape(kizuna.url));
    expect(accounts['intake']).toEqual({
      ...{ consumed: 4, missing: 0 },
      outcomes: { applied: 2, 'rejected.undecodable': 2 },
    });
    expect(accounts['customer']?.outcomes).toEqual({ applied: 2, 'rejected.undecodable': 2 });
  });
});
