import { expect, test } from 'vitest';
import { JOURNALED } from '../../processors/cli/erasure-world.ts';
import { ErasingWorld } from '../harness/erasing-world.ts';

const START = Date.now() - 60_000;
const LOST = 'not in a frame, but of u:anna all the same';

test('every journal is looked into', async () => {
  await using world = await ErasingWorld.open([]);
  const kept = world.processors.filter(({ kind }) => kind === 'stateful');
  expect(JOURNALED.map(({ name, version, input }) => [name, version, [input]])).toEqual(
    kept.map(({ name, version, inputs }) => [name, version, inputs]),
  );
});

test('dead letters go from whichever journal and partition they lie in, and nothing of others does', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { userId: 'anna' }, { userId: 'ben' });
  for (const topic of ['experiment-events.v1', 'customer-events.v1', 'touchpoint-events.v1', 'brand-partials.v1']) {
    for (const key of ['demo|checkout', 'demo|search', 'demo|cart', 'demo|home']) {
      await world.put(topic, key, Buffer.from(LOST));
      await world.put(topic, key, Buffer.from(LOST.replace('anna', 'annabel')));
    }
  }
  await world.settled();
  const before = (await world.found('u:annabel')).stores;
  expect((await world.found('u:anna')).stores).toMatchObject({ 'experiment.v1.journal': 4, 'brand.v1.journal': 4 });
  expect(before).toMatchObject({ 'experiment.v1.journal': 4, 'customer.v1.journal': 4, 'touchpoint.v1.journal': 4 });

  const receipt = await world.erase(['u:anna']);
  expect(receipt.counts['outputs']).toBeGreaterThanOrEqual(16);
  expect((await world.found('u:anna')).stores).toEqual({});
  expect((await world.found('u:annabel')).stores).toEqual(before);
});

test('older states of somebody who was parted from them go, newer ones stay', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { anonymousId: 'tv' }, { userId: 'anna', anonymousId: 'tv' });
  await world.settled();
  await world.command({ kind: 'UNLINK', subject: 'u:anna', target: 'a:tv' });
  await world.settled();
  await world.tell(START + 1_000, { anonymousId: 'tv' });
  await world.settled();
  expect((await world.found('u:anna')).stores).toMatchObject({ 'customer.v1.journal': expect.any(Number) as number });
  await world.erase(['u:anna']);
  expect((await world.found('u:anna')).stores).toEqual({});
  expect((await world.found('a:tv')).stores).toMatchObject({ 'customer.v1.state': 1 });
});
