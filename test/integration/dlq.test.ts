import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../processors/cli/program.ts';
import type { Terminal } from '../../processors/cli/terminal.ts';
import type { Kizuna } from '../../processors/main.ts';
import { connectRegistry } from '../../processors/runtime/registry/registry.ts';
import { recordSchema } from '../../schemas/records.ts';
import type { Interaction } from '../../schemas/types.ts';
import { pipelinePlace, type PipelinePlace } from '../harness/pipeline-place.ts';
import { describeWithServices } from '../harness/sandbox.ts';
import { connectMongodb, kafkaClient } from '../harness/service-clients.ts';
import { topicRanges, untilFolded } from '../harness/topic-records.ts';
import { interaction } from '../processors/intake-fixture.ts';

const INPUT = 'interactions.v1';
const LETTERS = 'interactions.v1.kizuna.intake.v1.dlq';
const AT = Date.UTC(2026, 0, 10, 12);
/** How long a running processor keeps an unknown schema id in mind. */
const UNKNOWN_FOR_MS = 31_000;
const WITHIN = { withinMs: 60_000 };

interface Listed {
  readonly letter: string;
  readonly reason: string;
  readonly key: string;
  readonly redrives: number;
  readonly status: string;
}

let place: PipelinePlace;
let kizuna: Kizuna;
let skewMs = 0;
let sent = 0;
let lateId = 0;

/** One command line, as typed. */
async function type(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const terminal: Terminal = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    environment: place.environment,
    signals: { on: () => undefined, off: () => undefined },
    exitNow: () => undefined,
    exitCode: 0,
  };
  const code = await runProgram(['dlq', ...args], terminal);
  return { code, ...said };
}

async function ask(...args: string[]): Promise<{ code: number; answer: Record<string, unknown>; err: string }> {
  const { code, out, err } = await type(...args, '--json');
  return { code, err, answer: JSON.parse(out) as Record<string, unknown> };
}

async function listed(...args: string[]): Promise<Listed[]> {
  return (await ask('list', ...args)).answer['letters'] as Listed[];
}

async function only(...args: string[]): Promise<Listed> {
  const letters = await listed(...args);
  expect(letters).toHaveLength(1);
  return letters[0] as Listed;
}

/** The end of the input, over all partitions. */
async function inputRecords(): Promise<number> {
  return (await topicRanges(place, INPUT)).reduce((sum, { end }) => sum + end, 0);
}

async function produce(
  key: string | Buffer,
  value: Buffer | null,
  headers: Record<string, string> = {},
): Promise<void> {
  await place.emitter.send([{ topic: INPUT, key: Buffer.from(key), value, timestamp: AT + sent, headers }]);
  sent += 1;
}

const encoded = (changes: Partial<Interaction>): Buffer => place.codec.encode(INPUT, interaction(changes));

/** How many records the customer processor gave this outcome. */
async function customers(outcome: string, reason = ''): Promise<number> {
  const metric = kizuna.registry.getSingleMetric('kizuna_records_total');
  const values = (await metric?.get())?.values ?? [];
  return values
    .filter(({ labels }) => labels['processor'] === 'customer' && labels['outcome'] === outcome)
    .filter(({ labels }) => labels['reason'] === reason)
    .reduce((sum, { value }) => sum + value, 0);
}

/** A frame of a schema that nobody registered yet: an interaction with one field more than ours. */
function newerFrame(interaction: Buffer, id: number): Buffer {
  const frame = Buffer.concat([interaction, Buffer.from([6]), Buffer.from('new')]);
  frame.writeUInt32BE(id, 1);
  return frame;
}

const registry = () => connectRegistry({ url: place.schemaRegistryUrl });

async function registerProbe(): Promise<number> {
  const name = `Probe${randomBytes(6).toString('hex')}`;
  const schema = JSON.stringify({ type: 'record', name, fields: [] });
  return (await registry().register(`${place.prefix}${name}-value`, schema, 'FULL_TRANSITIVE')).id;
}

/** Registers the newer schema so that it gets exactly the id that the records already carry. */
async function registerNewer(id: number): Promise<void> {
  while ((await registerProbe()) < id - 1);
  const current = recordSchema('Interaction');
  // A name of its own: a registry gives a schema that it knows from elsewhere the id that it had there.
  const name = `added${randomBytes(6).toString('hex')}`;
  const fields = [...current.fields, { name, type: 'string', default: '', doc: 'Of a newer writer.' }];
  const newer = JSON.stringify({ ...current, fields });
  expect((await registry().register(`${place.prefix}${INPUT}-value`, newer, 'BACKWARD_TRANSITIVE')).id).toBe(id);
}

describeWithServices('kizuna dlq', () => {
  beforeAll(async () => {
    place = await pipelinePlace('dlq', { time: 'record', partitions: 2 });
    kizuna = await place.start({ clock: { now: () => Date.now() + skewMs } });
    lateId = (await registerProbe()) + 10;
    await produce('good', encoded({ eventId: 'good', userId: 'good', occurredAt: AT }));
    await produce('late', newerFrame(encoded({ eventId: 'late', userId: 'late', occurredAt: AT }), lateId));
    await produce('cut', encoded({ eventId: 'cut' }).subarray(0, 20), { trace: 'abc', position: 'other@1/x/0:7.0' });
    await produce('guest', encoded({ eventId: 'guest', userId: 'guest', anonymousId: null, emailHash: null }));
    await produce(Buffer.from([0xff, 0xfe]), null);
    await produce('loop', Buffer.from('{"json":1}'), { 'dlq.redrives': '3' });
    await untilFolded(place, sent, { ...WITHIN, failed: kizuna.pipeline.failed });
  });
  afterAll(async () => {
    await kizuna[Symbol.asyncDispose]();
    await place.cleanup();
  });

  test('lists what was refused, oldest first, counted by reason, and leaves no group behind', async () => {
    const { code, answer } = await ask('list');
    expect(code).toBe(0);
    expect(answer['counts']).toEqual({ undecodable: 2, no_identifier: 1, null_value: 1, unknown_schema: 1 });
    const letters = answer['letters'] as Listed[];
    expect(letters.map(({ key, reason, redrives, status }) => [key, reason, redrives, status])).toEqual([
      ['late', 'unknown_schema', 0, 'open'],
      ['cut', 'undecodable', 0, 'open'],
      ['guest', 'no_identifier', 0, 'open'],
      ['0xfffe', 'null_value', 0, 'open'],
      ['loop', 'undecodable', 3, 'open'],
    ]);
    const admin = kafkaClient(place.kafkaBrokers).admin();
    await admin.connect();
    const { groups } = await admin.listGroups().finally(() => admin.disconnect());
    expect(groups.filter(({ groupId }) => groupId.startsWith(`${place.prefix}kizuna.dlq-read`))).toEqual([]);
  });

  test('filters by topic, reason, stage, time and key', async () => {
    const keys = async (...args: string[]) => (await listed(...args)).map(({ key }) => key);
    expect(await keys('--topic', INPUT, '--reason', 'undecodable,null_value')).toEqual(['cut', '0xfffe', 'loop']);
    expect(await keys('--stage', 'fold')).toEqual(['guest']);
    expect(await keys('--key', '0xfffe')).toEqual(['0xfffe']);
    const iso = (ms: number) => new Date(ms).toISOString();
    expect(await keys('--since', iso(AT + 2), '--until', iso(AT + 3))).toEqual(['cut', 'guest']);
    expect(await keys('--topic', 'customer-events.v1')).toEqual([]);
    expect(await keys('--limit', '1')).toEqual(['loop']);
  });

  test('shows a letter whole: by its schema when that is possible, else byte by byte', async () => {
    const guest = await ask('show', (await only('--key', 'guest')).letter);
    expect(guest.answer).toMatchObject({ reason: 'no_identifier', value: { decoded: { eventId: 'guest' } } });
    const { letter } = await only('--key', 'cut');
    const { answer } = await ask('show', letter);
    expect(answer).toMatchObject({
      originalHeaders: { trace: 'abc', position: 'other@1/x/0:7.0' },
      value: { bytes: 20, hex: encoded({ eventId: 'cut' }).subarray(0, 20).toString('hex') },
    });
    expect((await type('show', letter)).out).toMatch(/00000010 {2}([0-9a-f]{2} ){4}/);
    expect(await type('show', `${LETTERS}/0/999999`)).toMatchObject({ code: 1 });
  });

  test('tells on a dry run what it would send, and sends nothing', async () => {
    const before = await inputRecords();
    const { code, answer } = await ask('redrive');
    expect(code).toBe(2);
    expect(answer).toMatchObject({ dryRun: true, letters: 4, refused: { looping: 1 }, before: 0, beyondMax: 0 });
    expect(await ask('redrive', '--max', '1')).toMatchObject({ answer: { letters: 1, beyondMax: 3 } });
    expect(await inputRecords()).toBe(before);
    expect(await ask('redrive', '--force', '--key', 'loop')).toMatchObject({ code: 2, answer: { letters: 1 } });
  });

  test('what nothing has mended comes back, one redrive older, with its headers but for its position', async () => {
    const { letter } = await only('--key', 'cut');
    const { code, err } = await ask('redrive', letter, '--yes', '--by', 'somebody', '--note', 'a try');
    expect(code).toBe(0);
    expect(JSON.parse(err)).toMatchObject({ message: 'dead letter redriven', letter, by: 'somebody', note: 'a try' });
    sent += 1;
    await untilFolded(place, sent, { ...WITHIN, failed: kizuna.pipeline.failed });
    const back = await only('--key', 'cut');
    expect(back).toMatchObject({ redrives: 1, reason: 'undecodable' });
    expect(back.letter).not.toBe(letter);
    const { answer } = await ask('show', back.letter);
    expect(answer['originalHeaders']).toEqual({ trace: 'abc' });
    expect((await listed('--key', 'cut', '--all')).map(({ status }) => status)).toEqual(['redriven', 'open']);
    expect(await ask('redrive', letter, '--yes')).toMatchObject({ code: 0, answer: { letters: 0, before: 1 } });
  });

  test('what was mended is applied exactly once, however often it is redriven', async () => {
    await registerNewer(lateId);
    skewMs += UNKNOWN_FOR_MS;
    const appliedBefore = await customers('applied');
    expect(await ask('redrive', '--reason', 'unknown_schema', '--yes')).toMatchObject({ answer: { letters: 1 } });
    sent += 1;
    await untilFolded(place, sent, { ...WITHIN, failed: kizuna.pipeline.failed });
    expect(await customers('applied')).toBe(appliedBefore + 1);
    expect(await ask('redrive', '--reason', 'unknown_schema', '--yes')).toMatchObject({
      answer: { letters: 0, before: 1 },
    });
    expect(await inputRecords()).toBe(sent);
    expect(await ask('redrive', '--reason', 'unknown_schema', '--yes', '--again')).toMatchObject({
      answer: { letters: 1 },
    });
    sent += 1;
    await untilFolded(place, sent, { ...WITHIN, failed: kizuna.pipeline.failed });
    expect(await customers('applied')).toBe(appliedBefore + 1);
    expect(await customers('skipped', 'duplicate_event')).toBe(1);
    expect(await listed('--reason', 'unknown_schema')).toEqual([]);
  });

  test('files away with a receipt, takes nothing from Kafka, and keeps no key and no value', async () => {
    expect(await ask('discard', '--reason', 'no_identifier')).toMatchObject({ code: 2, answer: { letters: 1 } });
    expect(await listed('--reason', 'no_identifier')).toHaveLength(1);
    const filed = await ask('discard', '--reason', 'no_identifier', '--yes', '--by', 'somebody', '--note', 'bots');
    expect(filed).toMatchObject({ code: 0, answer: { letters: 1 } });
    expect(await listed('--reason', 'no_identifier')).toEqual([]);
    const kept = await only('--reason', 'no_identifier', '--all');
    expect(kept).toMatchObject({ key: 'guest', status: 'discarded' });
    expect((await type('show', kept.letter)).out).toMatch(/discarded {2}by somebody {2}bots/);
    const client = await connectMongodb(place.mongodbUri);
    const receipts = client.db(place.database).collection('dead-letters.v1.audit');
    const receipt = await receipts.findOne({ status: 'discarded' }).finally(() => client.close());
    expect(receipt).toMatchObject({ by: 'somebody', note: 'bots', facts: { topic: LETTERS, reason: 'no_identifier' } });
    expect(JSON.stringify(receipt)).not.toContain('guest');
  });
});
