import { TOPICS } from '../../topics/catalog.ts';
import type { Instant } from '../core/processor.ts';
import { unpackOutputs, unpackStates } from '../runtime/block.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { judgeOutputs } from './erase-journal.ts';
import { isAbout } from './erasure-about.ts';
import { FoundInTopic, topicPlace, type ErasurePlace } from './erasure-places.ts';
import { toldBy } from './erasure-states.ts';
import type { Sought } from './erasure-subjects.ts';
import { readTopic } from './erasure-topics.ts';
import { CUSTOMER, JOURNALED, TOUCHPOINT, type ErasureWorld, type Journaled } from './erasure-world.ts';

export type Tell = (line: () => string) => void;

/** Reads every topic of the catalog that there is, from its first record to its last. */
export async function scanTopics(
  world: ErasureWorld,
  sought: Sought,
  { purgeAfterMs, now }: { readonly purgeAfterMs: number | null; readonly now: Instant },
  tell: Tell,
): Promise<ErasurePlace[]> {
  const settings = await world.settings();
  const places: ErasurePlace[] = [];
  for (const { name } of TOPICS) {
    const inForce = settings.get(name);
    if (inForce === undefined) continue;
    const found = new FoundInTopic();
    await readTopic(world, name, ({ key, timestamp }, value, source) => {
      found.scanned += 1;
      tell(() => `${name}: ${found.scanned} records`);
      if (isAbout(sought, source, key, value)) found.add(key?.toString('latin1') ?? '', timestamp, value === null);
    });
    places.push(topicPlace(name, found, inForce, purgeAfterMs, now));
  }
  return places;
}

/** Reads every journal, and every document of the processors that keep some about customers. */
export async function scanStores(world: ErasureWorld, sought: Sought, tell: Tell): Promise<ErasurePlace[]> {
  const places: ErasurePlace[] = [];
  for (const processor of JOURNALED) places.push(await scanJournal(world, processor, sought, tell));
  for (const processor of [CUSTOMER, TOUCHPOINT]) places.push(await scanDocuments(world, processor, sought, tell));
  return places;
}

async function scanJournal(
  world: ErasureWorld,
  processor: Journaled,
  sought: Sought,
  tell: Tell,
): Promise<ErasurePlace> {
  const name = `${storeName(processor)}.journal`;
  let [scanned, found, marks] = [0, 0, 0];
  for await (const block of world.erasures.blocks(storeName(processor), null)) {
    scanned += 1;
    tell(() => `${name}: ${scanned} blocks`);
    for (const { key, state } of unpackStates(block.states)) {
      const told = toldBy(world, processor, key, state, sought);
      if (told === 'found') found += 1;
      else if (told === 'mark') marks += 1;
    }
    const isAboutThem = await judgeOutputs(world, block.outputs, sought);
    for (const output of unpackOutputs(block.outputs)) {
      if (output === null || !isAboutThem(output)) continue;
      if (output.value === null) marks += 1;
      else found += 1;
    }
  }
  return { kind: 'journal', name, scanned, found, marks, by: found > 0 ? 'erase' : null, until: null };
}

async function scanDocuments(
  world: ErasureWorld,
  processor: Journaled,
  sought: Sought,
  tell: Tell,
): Promise<ErasurePlace> {
  const name = `${storeName(processor)}.state`;
  let [scanned, found, marks] = [0, 0, 0];
  for await (const { key, state } of world.states(storeName(processor), `${sought.brand}|`)) {
    scanned += 1;
    tell(() => `${name}: ${scanned} documents`);
    const told = toldBy(world, processor, key, state, sought);
    if (told === 'found') found += 1;
    else if (told === 'mark') marks += 1;
  }
  return { kind: 'documents', name, scanned, found, marks, by: found > 0 ? 'erase' : null, until: null };
}
