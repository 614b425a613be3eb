import { join } from 'node:path';
import type { PipelinePlace } from './pipeline-place.ts';
import { comparePublished, linesOf, uniqueRecords } from './published-lines.ts';
import type { ShopInput } from './shop-input.ts';
import { storedCustomers, type StoredCustomer } from './stored-customers.ts';
import { replayedBrands, storedBrands } from './stored-brands.ts';
import { replayedScores, storedScores } from './stored-touchpoints.ts';
import { readTopic } from './topic-records.ts';

const OUTPUTS = ['segment-memberships.v1', 'churn-risk.v1', 'customer-traits.v1', 'cases.v1'] as const;
const REFUSED = [
  'interactions.v1.kizuna.intake.v1.dlq',
  'commands.v1.kizuna.intake.v1.dlq',
  'customer-events.v1.kizuna.customer.v1.dlq',
  'touchpoint-events.v1.kizuna.touchpoint.v1.dlq',
  'experiment-events.v1.kizuna.experiment.v1.dlq',
  'brand-partials.v1.kizuna.brand.v1.dlq',
] as const;

/** Everything in which a pipeline differs from the replay of the same input; empty: in nothing. */
export interface Differences {
  readonly differences: readonly string[];
  /** Records read again and dropped by their position. */
  readonly repeats: number;
}

/**
 * Compares every document, every record published of a customer and every dead letter with the replay. Time must have passed
 * to its end.
 */
export async function compareWithReplay(place: PipelinePlace, input: ShopInput): Promise<Differences> {
  const { until, replayed, summary, raw } = input;
  const stored = await storedCustomers(place, input.definitions, until);
  const differences = await compareProfiles(stored, join(replayed, 'profiles.ndjson'));
  const heldBack = new Set(stored.filter(({ holdsTraits }) => holdsTraits).map(({ key }) => key));
  const scores = await storedScores(place, input.definitions, until);
  const replayedYear = await replayedScores(join(replayed, 'touchpoint-scores.v1.ndjson'));
  for (const key of new Set([...scores.keys(), ...replayedYear.keys()])) {
    const [here, expected] = [scores.get(key), replayedYear.get(key)];
    if (here !== expected) differences.push(`scores of ${key} are ${here ?? 'not there'}, not ${expected ?? 'any'}`);
  }
  const brands = await storedBrands(place, input.definitions);
  const replayedSums = await replayedBrands(join(replayed, 'brand-kpis.v1.ndjson'));
  for (const key of new Set([...brands.keys(), ...replayedSums.keys()])) {
    const [here, expected] = [brands.get(key), replayedSums.get(key)];
    if (here !== expected) differences.push(`${key} is ${here ?? 'not there'}, not ${expected ?? 'any'}`);
  }
  let repeats = 0;
  for (const topic of OUTPUTS) {
    const compared = await comparePublished(place, topic, replayed, { heldBack, until });
    repeats += compared.repeats;
    for (const line of compared.missing) differences.push(`${topic} misses ${line}`);
    for (const line of compared.unexpected) differences.push(`${topic} has, beyond the replay, ${line}`);
    const held = topic === 'customer-traits.v1' ? heldBack.size : 0;
    const expected = (summary.outputs[topic] ?? 0) - held;
    if (compared.records !== expected) differences.push(`${topic} has ${compared.records} records, not ${expected}`);
  }
  let letters = 0;
  for (const topic of REFUSED) {
    const unique = uniqueRecords(topic);
    await readTopic(place, topic, (records) => void (letters += unique.keep(records).length));
  }
  const refused = raw + Object.values(summary.rejected).reduce((sum, count) => sum + count, 0);
  if (letters !== refused) differences.push(`${letters} dead letters, not ${refused}`);
  return { differences, repeats };
}

async function compareProfiles(stored: readonly StoredCustomer[], file: string): Promise<string[]> {
  const differences: string[] = [];
  const left = new Map(stored.map(({ key, profile }) => [key, JSON.stringify(profile)]));
  for await (const line of linesOf(file)) {
    const { key, profile } = JSON.parse(line) as { key: string; profile: object };
    const here = left.get(key);
    left.delete(key);
    const expected = JSON.stringify(profile);
    if (here !== expected) differences.push(`document ${key} is ${here ?? 'not there'}, not ${expected}`);
  }
  for (const key of left.keys()) differences.push(`document ${key} is not in the replay`);
  return differences.slice(0, 5);
}
