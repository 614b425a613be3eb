import { expect, it } from 'vitest';
import { partitionOfKey } from '../../processors/runtime/partitioner.ts';
import { AT, numbered, Probe, record, textOf } from './event-log-probe.ts';
import { onEveryLog } from './event-log-worlds.ts';

const TOPIC = 'numbers.v1';
const OTHER = 'letters.v1';
const GROUP = 'kizuna.reader.v1';
const MIB = 1024 * 1024;

onEveryLog((open) => {
  it('keeps the order of a large send, over topics and requests, and puts each key where Java would', async () => {
    await using world = await open([
      { name: TOPIC, partitions: 3 },
      { name: OTHER, partitions: 5 },
    ]);
    const records = numbered(TOPIC, 12_000, 500).map((each, index) =>
      index % 3 === 0 ? { ...each, topic: OTHER } : each,
    );
    await world.emitter.send(records);
    const probe = await Probe.join(world.log, GROUP, [TOPIC, OTHER]);
    await probe.until(() => probe.received.length === 12_000);
    const lastOf = new Map<string, number>();
    for (const { topic, partition, key, value } of probe.received) {
      const place = `${topic}/${partition}`;
      const number = Number(textOf(value));
      expect(number).toBeGreaterThan(lastOf.get(place) ?? -1);
      lastOf.set(place, number);
      expect(partitionOfKey(key ?? Buffer.alloc(0), topic === TOPIC ? 3 : 5)).toBe(partition);
    }
    expect(new Set(lastOf.keys()).size).toBe(8);
  });

  it('keeps the order of sends one after the other, and takes many at once', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    for (let from = 0; from < 30; from += 10) await world.emitter.send(numbered(TOPIC, 10, 3, from));
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => world.emitter.send(numbered(TOPIC, 10, 3, 100 + index * 10))),
    );
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 150);
    const numbers = probe.received.map(({ value }) => Number(textOf(value)));
    expect(numbers.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    // Each send stays in order within itself; what runs at once may mix.
    for (let send = 0; send < 12; send++) {
      const own = numbers.filter((number) => Math.floor((number - 100) / 10) === send && number >= 100);
      expect(own).toEqual(Array.from({ length: 10 }, (_, index) => 100 + send * 10 + index));
    }
  });

  it('carries null keys and values, headers, timestamps and large records untouched', async () => {
    await using world = await open([{ name: TOPIC, partitions: 3, maxMessageBytes: 6 * MIB }]);
    const large = Buffer.alloc(5 * MIB, 'kizuna');
    await world.emitter.send([
      { topic: TOPIC, key: null, value: Buffer.from('no key'), timestamp: AT, headers: {} },
      { topic: TOPIC, key: Buffer.from('no value'), value: null, timestamp: 852_076_800_000, headers: {} },
      {
        topic: TOPIC,
        key: Buffer.from([0, 255, 128]),
        value: Buffer.alloc(0),
        timestamp: AT + 1,
        headers: { position: 'kizuna.intake.v1@1/a.v1/0:5.0', binary: Buffer.from([0, 200, 255]), name: '絆' },
      },
      { topic: TOPIC, key: Buffer.from('large'), value: large, timestamp: AT + 2, headers: {} },
    ]);
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 4);
    const find = (key: Buffer | null) =>
      probe.received.find((each) => (key === null ? each.key === null : each.key?.equals(key)));
    expect(textOf(find(null)?.value ?? null)).toBe('no key');
    expect(find(Buffer.from('no value'))).toMatchObject({ value: null, timestamp: 852_076_800_000, headers: {} });
    expect(find(Buffer.from([0, 255, 128]))).toMatchObject({
      value: Buffer.alloc(0),
      timestamp: AT + 1,
      headers: {
        position: Buffer.from('kizuna.intake.v1@1/a.v1/0:5.0'),
        binary: Buffer.from([0, 200, 255]),
        name: Buffer.from('絆'),
      },
    });
    expect(find(Buffer.from('large'))?.value?.equals(large)).toBe(true);
  });

  it('has copied what was sent: the sender may use its buffers again', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    const sent = { ...record(TOPIC, 'key', 'value'), headers: { position: Buffer.from('here') } };
    await world.emitter.send([sent]);
    sent.key?.fill(0);
    sent.value?.fill(0);
    sent.headers.position.fill(0);
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length === 1);
    const [received] = probe.received;
    expect([textOf(received?.key ?? null), textOf(received?.value ?? null)]).toEqual(['key', 'value']);
    expect(received?.headers['position']).toEqual(Buffer.from('here'));
  });

  it('refuses a record that the topic is too small for, for good, and goes on with others', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1, maxMessageBytes: 100_000 }]);
    const tooLarge = record(TOPIC, 'key', 'x'.repeat(200_000));
    await expect(world.emitter.send([tooLarge])).rejects.toMatchObject({ code: 'log_unavailable', retriable: false });
    // More sends than producers: every one of them still works, or was replaced.
    await Promise.all(Array.from({ length: 4 }, (_, index) => world.emitter.send(numbered(TOPIC, 10, 3, index * 10))));
    await expect(world.emitter.send([tooLarge])).rejects.toMatchObject({ retriable: false });
    await world.emitter.send(numbered(TOPIC, 10, 3, 40));
    const probe = await Probe.join(world.log, GROUP, [TOPIC]);
    await probe.until(() => probe.received.length >= 50);
    expect(probe.received).toHaveLength(50);
  });

  it('refuses a topic that does not exist before it sends anything', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    const records = [record(TOPIC, 'key', 'value'), record('nothing.v1', 'key', 'value')];
    await expect(world.emitter.send(records)).rejects.toMatchObject({ code: 'log_unavailable', retriable: false });
    expect(await world.log.ranges(TOPIC)).toEqual([{ partition: 0, start: 0, end: 0 }]);
  });

  it('sends nothing for nothing, and nothing once closed', async () => {
    await using world = await open([{ name: TOPIC, partitions: 1 }]);
    await world.emitter.send([]);
    const last = world.emitter.send(numbered(TOPIC, 10, 3));
    await world.emitter.close();
    await last;
    await expect(world.emitter.send(numbered(TOPIC, 1, 1))).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(await world.log.ranges(TOPIC)).toEqual([{ partition: 0, start: 0, end: 10 }]);
  });
});
