import { TOPICS } from '../../topics/catalog.ts';
import { subjectKey } from '../core/identity.ts';
import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { splitTouchpointKey } from '../core/touchpoint-key.ts';
import { unpackOutputs, unpackStates } from '../runtime/block.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { isErasedCase } from '../touchpoint/case-state.ts';
import { touchpointPacking } from '../touchpoint/state.ts';
import { judgeOutputs } from './erase-journal.ts';
import { isAbout } from './erasure-about.ts';
import { FoundInTopic, topicPlace, type ErasurePlace } from './erasure-places.ts';
import type { Sought } from './erasure-subjects.ts';
import { readTopic } from './erasure-topics.ts';
import { CUSTOMER, TOUCHPOINT, type ErasureWorld } from './erasure-world.ts';

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

/** Reads every journal and every document of the processors that keep something of customers. */
export async function scanStores(world: ErasureWorld, sought: Sought, tell: Tell): Promise<ErasurePlace[]> {
  const places: ErasurePlace[] = [];
  for (const processor of [CUSTOMER, TOUCHPOINT]) {
    places.push(await scanJournal(world, processor, sought, tell), await scanDocuments(world, processor, sought, tell));
  }
  return places;
}

type Kept = typeof CUSTOMER | typeof TOUCHPOINT;

async function scanJournal(world: ErasureWorld, processor: Kept, sought: Sought, tell: Tell): Promise<ErasurePlace> {
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

async function scanDocuments(world: ErasureWorld, processor: Kept, sought: Sought, tell: Tell): Promise<ErasurePlace> {
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

/**
 * What a state tells of somebody who is sought: that of a customer, or of a case; or of another identifier that is linked to one
 * of theirs. That an operator parted another customer from them is a mark: it only refuses a link.
 */
function toldBy(
  { customer }: ErasureWorld,
  processor: Kept,
  key: string,
  packed: Buffer,
  sought: Sought,
): 'found' | 'mark' | null {
  if (processor === TOUCHPOINT) {
    const { brandId, last } = splitTouchpointKey(key);
    if (!sought.has(subjectKey(brandId, last))) return null;
    const state = touchpointPacking.unpack(new ByteReader(packed));
    return state.kind === 'case' && isErasedCase(state) ? 'mark' : 'found';
  }
  const state = customer.state.unpack(new ByteReader(packed));
  if (sought.has(key)) return customer.isErased(state) ? 'mark' : 'found';
  const { redirect, held, unlinked } = customer.links(state);
  const names = (subject: string | null): boolean => subject !== null && sought.has(subjectKey(state.brandId, subject));
  if (names(redirect) || held.some(({ subject, via }) => names(subject) || names(via))) return 'found';
  return unlinked.some(names) ? 'mark' : null;
}
