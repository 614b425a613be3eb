import type { OrderItem, Product } from '../../schemas/types.ts';
import type { Random } from './random.ts';

/** The invented shop sells tea, what tea is drunk from, sweets, and paper to write on meanwhile. Prices in yen. */
const SHELVES: readonly (readonly [category: string, weight: number, goods: readonly (readonly [string, number])[]])[] =
  [
    [
      'green-tea',
      30,
      [
        ['morning-sencha', 1280],
        ['slope-gyokuro', 3400],
        ['roasted-stem-hojicha', 980],
        ['brown-rice-genmaicha', 860],
        ['first-harvest-sencha', 2100],
        ['stone-ground-matcha', 2800],
        ['cold-brew-bags', 740],
      ],
    ],
    [
      'black-and-oolong',
      16,
      [
        ['harbour-black-tea', 1150],
        ['smoky-pine-black-tea', 1420],
        ['high-mountain-oolong', 2650],
        ['evening-citrus-blend', 1080],
      ],
    ],
    [
      'sweets',
      22,
      [
        ['chestnut-yokan', 1620],
        ['sesame-wafers', 680],
        ['black-sugar-candy', 480],
        ['plum-jelly', 1240],
        ['matcha-shortbread', 1180],
      ],
    ],
    [
      'teaware',
      14,
      [
        ['side-handle-teapot', 6800],
        ['ash-glaze-cup', 3200],
        ['bamboo-whisk', 2600],
        ['glass-cold-brew-bottle', 2400],
        ['cherry-bark-caddy', 7800],
      ],
    ],
    [
      'stationery',
      12,
      [
        ['indigo-notebook', 1480],
        ['brush-pen-set', 1960],
        ['letter-paper-waves', 820],
        ['washi-tape-four-seasons', 640],
      ],
    ],
    [
      'gifts',
      6,
      [
        ['tea-for-two-box', 4980],
        ['year-of-tea-box', 12800],
        ['thank-you-tin', 2980],
      ],
    ],
  ];

const BY_CATEGORY = SHELVES.map(([category, weight, goods]) => {
  const products = goods.map(([productId, priceMinor]): Product & { priceMinor: number } => ({
    productId,
    category,
    priceMinor,
  }));
  return [products, weight] as const;
});

export const CATEGORIES = SHELVES.map(([category]) => category);

/** One product, now and then of `favourite`'s category rather than any. */
export function pickProduct(random: Random, favourite: number): Product & { priceMinor: number } {
  const own = BY_CATEGORY[favourite];
  return random.pick(own !== undefined && random.chance(0.55) ? own[0] : random.weighted(BY_CATEGORY));
}

export function orderItem(product: Product & { priceMinor: number }, quantity: number): OrderItem {
  return { productId: product.productId, category: product.category, quantity, priceMinor: product.priceMinor };
}
