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

/**
 * The same folder with a hundred rules of every kind: of ten, four sums, a ratio, an absence, two sequences of ten different
 * ones, and two that read the brand's own measures, of which it has eight.
 */
export async function writeMixedDefinitions(folder: string): Promise<string> {
  await writeDefinitions(folder, 0);
  await mkdir(join(folder, 'measures'), { recursive: true });
  for (const [id, measure] of Object.entries(OWN_MEASURES)) {
    await writeFile(join(folder, 'measures', `${id}.json`), JSON.stringify({ id, name: id, ...measure }));
  }
  for (const [id, where] of Object.entries(mixedSegments())) {
    await writeFile(join(folder, 'segments', `${id}.json`), JSON.stringify({ id, name: id, where }));
  }
  return folder;
}

const OWN_MEASURES: Readonly<Record<string, object>> = {
  'shoe-views': { of: 'count', where: { type: 'PRODUCT_VIEW', 'product.category': 'shoes' } },
  'dear-carts': { of: 'count', where: { type: 'CART_ADD', 'product.priceMinor': { $gte: 5_000 } } },
  spent: { of: 'sum', value: 'order.amountMinor', where: { type: 'ORDER_PLACED' } },
  'dearest-order': { of: 'max', value: 'order.amountMinor', where: { type: 'ORDER_PLACED' } },
  'cheapest-cart': { of: 'min', value: 'product.priceMinor', where: { type: 'CART_ADD' } },
  'products-in-carts': { of: 'distinct', value: 'product.productId', where: { type: 'CART_ADD' } },
  'last-campaign': { of: 'last', value: 'campaignId', where: { type: 'MESSAGE_CLICKED' } },
  'mail-opens': { of: 'count', where: { type: 'MESSAGE_OPENED', channel: 'EMAIL' } },
};
const COUNTS = ['shoe-views', 'dear-carts', 'spent', 'products-in-carts', 'mail-opens'];
const FIRSTS = ['CART_ADD', 'CHECKOUT_STARTED', 'MESSAGE_CLICKED', 'ORDER_PLACED', 'SUPPORT_CONTACTED'];

/** The same every time. */
export function mixedSegments(): Record<string, Record<string, unknown>> {
  const random = new Random(11);
  return Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`mixed-${index}`, mixedRule(index, random)]));
}

function mixedRule(index: number, random: Random): Record<string, unknown> {
  const sum = (measure: string): string => `traits.${measure}.${random.pick(WINDOWS)}`;
  switch (index % 10) {
    case 4:
      return { [`ratios.${random.pick(RATIOS)}.${random.pick(WINDOWS)}`]: { $gte: (1 + random.below(9)) / 10 } };
    case 5:
      return {
        $nor: [{ [sum('orders')]: { $gte: 1 } }, { [`ages.${random.pick(MEASURES)}`]: { $lt: 1 + random.below(30) } }],
      };
    case 6:
    case 7: {
      const which = Math.floor(index / 10) % FIRSTS.length;
      const next = index % 2 === 0 ? 'then' : 'thenNot';
      const sequence = { first: { type: FIRSTS[which] }, [next]: { type: 'ORDER_PLACED' }, within: `${1 + which}d` };
      return { $sequence: { ...sequence, for: '30d' }, [sum('interactions')]: { $gte: 1 + random.below(9) } };
    }
    case 8:
      return { [sum(random.pick(COUNTS))]: { $gte: 1 + random.below(5) } };
    case 9:
      return {
        $or: [
          { [sum('dearest-order')]: { $gte: 9_000 } },
          { [`ages.${random.pick(COUNTS)}`]: { $lt: 1 + random.below(9) } },
        ],
      };
    default:
      return { [sum(random.pick(MEASURES))]: { $gte: 1 + random.below(25) } };
  }
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
