import { expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { receiptsAbout } from '../../processors/cli/erase-receipts.ts';
import { hashOf } from '../../processors/cli/erasure-subjects.ts';
import type { ErasureReceipt } from '../../processors/runtime/erasure-store.ts';
import { createMemoryErasures } from '../../processors/runtime/memory/erasure-store.ts';
import { createMemoryStore } from '../../processors/runtime/memory/store.ts';
import { ERASURE_KEY, ErasingWorld } from '../harness/erasing-world.ts';
import { waitUntil } from '../harness/wait-until.ts';

const START = Date.now() - 60_000;
const hashed = (subject: string): string => hashOf(ERASURE_KEY, `demo|${subject}`);

function receipt(id: string, subjects: readonly string[], finishedAt: number | null = null): ErasureReceipt {
  const named = subjects.map(hashed);
  return { id, brandId: 'demo', subjects: named, orderedAt: START, by: 'mika', note: '', finishedAt, counts: {} };
}

/** Once, just before the order is sent. */
function meanwhile(world: ErasingWorld, happens: () => Promise<void>): void {
  world.beforeOrder = () => {
    world.beforeOrder = () => Promise.resolve();
    return happens();
  };
}

test('who is linked between the plan and the order is erased, blanked and named by the receipt', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { userId: 'anna' }, { anonymousId: 'tv' }, { userId: 'ben', anonymousId: 'ben-tv' });
  await world.settled();
  meanwhile(world, () => world.tell(START + 10, { userId: 'anna', anonymousId: 'tv' }));
  const kept = await world.erase(['u:anna']);
  expect(kept.subjects.toSorted()).toEqual(['u:anna', 'a:tv'].map(hashed).toSorted());
  expect(kept.counts).toMatchObject({ orders: 2, customers: 2 });
  expect((await world.found('u:anna', 'a:tv')).stores).toEqual({});
  expect((await world.found('u:ben')).stores).toMatchObject({ 'customer.v1.state': 2 });
});

test('a chain that is found link by link is followed to its end', async () => {
  await using world = await ErasingWorld.open();
  const email = 'cd'.repeat(32);
  await world.tell(START, { userId: 'anna' }, { emailHash: email }, { anonymousId: 'tv' });
  await world.settled();
  meanwhile(world, async () => {
    meanwhile(world, () => world.tell(START + 20, { emailHash: email, anonymousId: 'tv' }));
    await world.tell(START + 10, { userId: 'anna', emailHash: email });
  });
  const kept = await world.erase(['u:anna']);
  expect(kept.subjects.toSorted()).toEqual(['u:anna', `e:${email}`, 'a:tv'].map(hashed).toSorted());
  expect((await world.found('u:anna', `e:${email}`, 'a:tv')).stores).toEqual({});
});

test('who is parted just before the order keeps what is theirs', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { anonymousId: 'tv' }, { userId: 'anna', anonymousId: 'tv' });
  await world.settled();
  await world.command({ kind: 'UNLINK', subject: 'u:anna', target: 'a:tv' });
  const kept = await world.erase(['u:anna']);
  expect(kept.subjects).toEqual([hashed('u:anna')]);
  // Nobody waits for the document of somebody who is not erased.
  const hasTheirs = async (): Promise<true | undefined> => {
    const [stored] = await world.store.documents('customer.v1').load(['demo|a:tv']);
    const state = world.customer.state.unpack(new ByteReader(stored?.state ?? Buffer.alloc(0)));
    const { redirect, unlinked, erasedAt } = world.customer.links(state);
    const { interactions } = world.customer.profileView(state, Date.now()).traits;
    const isTheirs = redirect === null && unlinked.includes('u:anna') && erasedAt === null;
    return isTheirs && interactions.lifetime === 1 ? true : undefined;
  };
  await waitUntil('what came back is stored', hasTheirs, { withinMs: 10_000 });
});

test('an erasure that broke off is taken along, with those whom nothing but its receipt names', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { userId: 'anna' }, ...['old', 'older', 'other'].map((anonymousId) => ({ anonymousId })));
  await world.settled();
  await world.erasures.keep(receipt('one', ['u:anna', 'a:old']));
  await world.erasures.keep(receipt('two', ['a:old', 'a:older']));
  await world.erasures.keep(receipt('three', ['a:older', 'a:nobody']));
  await world.erasures.keep(receipt('done', ['u:anna', 'a:other'], START));
  const kept = await world.erase(['u:anna']);
  expect(kept.subjects.toSorted()).toEqual(['u:anna', 'a:old', 'a:older'].map(hashed).toSorted());
  expect((await world.found('u:anna', 'a:old', 'a:older')).stores).toEqual({});
  expect((await world.found('a:other')).stores).toMatchObject({ 'customer.v1.state': 1 });
  const ends = async (id: string) =>
    (await world.erasures.receipts('demo', hashed('a:older'))).find((each) => each.id === id)?.finishedAt;
  expect(await ends('two')).toBe(kept.finishedAt);
  // Of somebody there nobody knows anything.
  expect(await ends('three')).toBeNull();
});

test('whatever it breaks off at, the same command again finishes it', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { anonymousId: 'tv' }, { userId: 'anna', anonymousId: 'tv' }, { userId: 'ben' });
  await world.tell(START + 10, { userId: 'anna', type: 'COMPLAINT', touchpoint: 'shop' });
  await world.settled();
  const { rewrite } = world.erasures;
  let rewritten = 0;
  const breaks: (() => void)[] = [
    () => (world.beforeOrder = () => Promise.reject(new Error('broken off'))),
    () => (world.erasures.rewrite = () => Promise.reject(new Error('broken off'))),
    () =>
      (world.erasures.rewrite = (...all) =>
        rewritten++ < 2 ? rewrite(...all) : Promise.reject(new Error('broken off'))),
  ];
  for (const breakAt of breaks) {
    breakAt();
    await expect(world.erase(['u:anna'])).rejects.toThrow('broken off');
    world.beforeOrder = () => Promise.resolve();
    world.erasures.rewrite = rewrite;
  }
  const kept = await world.erase(['u:anna']);
  expect((await world.found('u:anna', 'a:tv')).stores).toEqual({});
  const all = await world.erasures.receipts('demo', hashed('a:tv'));
  expect(all.map(({ finishedAt }) => finishedAt)).toEqual(Array.from({ length: 4 }, () => kept.finishedAt));
});

test('two at once both end, and undo nothing of each other', async () => {
  await using world = await ErasingWorld.open();
  await world.tell(START, { anonymousId: 'tv' }, { userId: 'anna', anonymousId: 'tv' });
  await world.tell(START + 10, ...['ben', 'cleo', 'dora'].map((userId) => ({ userId })));
  await world.settled();
  const journal = async () => (await world.found('u:cleo', 'u:dora')).stores['customer.v1.journal'];
  const others = await journal();
  await Promise.all([world.erase(['u:anna']), world.erase(['a:tv']), world.erase(['u:ben'])]);
  expect((await world.found('u:anna', 'a:tv', 'u:ben')).stores).toEqual({});
  expect(others).toBeGreaterThan(0);
  expect(await journal()).toBe(others);
});

test('a touchpoint that never knew them gets no document; a case that was on its way is found', async () => {
  await using world = await ErasingWorld.open();
  const complaint = (userId: string, touchpoint: string) => ({ userId, type: 'COMPLAINT', touchpoint }) as const;
  await world.tell(START, complaint('anna', 'app'), complaint('ben', 'shop'), complaint('ben', 'phone'));
  await world.settled();
  meanwhile(world, () => world.tell(START + 10, complaint('anna', 'phone')));
  const kept = await world.erase(['u:anna']);
  expect(kept.counts).toMatchObject({ orders: 3, customers: 1, cases: 2 });
  const documents: string[] = [];
  for await (const key of world.erasures.keys('touchpoint.v1', 'demo|'))
    if (key.endsWith('u:anna')) documents.push(key);
  expect(documents).toEqual(['demo|app|u:anna', 'demo|phone|u:anna']);
  expect((await world.found('u:anna')).stores).toEqual({});
});

test('a pipeline that does not get on is told, and the order stands', async () => {
  await using world = await ErasingWorld.open(['intake']);
  await world.tell(START, { userId: 'anna' });
  let clock = Date.now();
  const now = () => (clock += 5_000);
  await expect(world.erase(['u:anna'], { now, timeoutMs: 60_000 })).rejects.toThrow(
    /customer has \d+ records of customer-events.v1 yet to fold: the order is given and stands/,
  );
  for (const name of ['customer', 'touchpoint']) await world.start(name);
  await world.settled();
  await world.erase(['u:anna']);
  expect((await world.found('u:anna')).stores).toEqual({});
});

test('receipts are followed from one to the next, however many', async () => {
  const erasures = createMemoryErasures(createMemoryStore());
  const chain = ['u:1', 'u:2', 'u:3', 'u:4', 'u:5'];
  for (let at = 1; at < chain.length; at++)
    await erasures.keep(receipt(String(at), chain.slice(at - 1, at + 1), START));
  await erasures.keep(receipt('others', ['u:6', 'u:7']));
  const found = await receiptsAbout({ erasures }, 'demo', [hashed('u:1')]);
  expect(found.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
});
