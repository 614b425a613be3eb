import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shippedDefinitions } from '../../processors/definitions/load.ts';
import { Random } from '../../processors/simulation/random.ts';

const MEASURES = ['interactions', 'page_views', 'product_views', 'searches', 'cart_adds', 'orders', 'opens', 'clicks'];
const WINDOWS = ['1h', '24h', '7d', '30d', '90d', '365d', 'lifetime'];
const RATIOS = ['ctr', 'open_rate', 'click_to_open'];

/**
 * Writes a folder of definitions: the shipped brand and churn model of `demo`, and so many segments as marketers write them.
 * Of ten, six ask for counts in windows, one joins two of them with an absence, one asks for a ratio, one for an age or a
 * churn band, one for another segment.
 */
export async function writeDefinitions(folder: string, segments: number): Promise<string> {
  for (const part of ['brands', 'churn'])
    await cp(join(shippedDefinitions, part), join(folder, part), { recursive: true });
  await mkdir(join(folder, 'segments'), { recursive: true });
  for (const [id, where] of Object.entries(generatedSegments(segments))) {
    await writeFile(join(folder, 'segments', `${id}.json`), JSON.stringify({ id, name: id, brands: ['*'], where }));
  }
  return folder;
}

/** The rules of so many segments by id. The same number gives the same segments. */
export function generatedSegments(segments: number): Record<string, Record<string, unknown>> {
  const random = new Random(7);
  return Object.fromEntries(
    Array.from({ length: segments }, (_, index) => [`segment-${index}`, ruleOf(index, random)]),
  );
}

function ruleOf(index: number, random: Random): Record<string, unknown> {
  const count = (measure: string): string => `traits.${measure}.${random.pick(WINDOWS)}`;
  switch (index % 10) {
    case 6:
      return { [count('cart_adds')]: { $gte: 1 + random.below(3) }, [count('orders')]: 0 };
    case 7:
      return { [`ratios.${random.pick(RATIOS)}.${random.pick(WINDOWS)}`]: { $gte: (1 + random.below(9)) / 10 } };
    case 8:
      return index % 20 === 8
        ? { [`ages.${random.pick(MEASURES)}`]: { $gte: 1 + random.below(60) } }
        : { 'churn.band': random.pick(['LOW', 'MEDIUM', 'HIGH']) };
    case 9:
      return { segments: `segment-${index - 3}`, [count('interactions')]: { $gte: 2 + random.below(20) } };
    default:
      return { [count(random.pick(MEASURES))]: { $gte: 1 + random.below(25) } };
  }
}
