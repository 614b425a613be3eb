import { figureOf, MEASURES } from '../../processors/brand/measures.ts';
import { rulesOf } from '../../processors/brand/rules.ts';
import { amountsIn, brandPacking, LONGEST, totalOf } from '../../processors/brand/state.ts';
import { BRAND_WINDOWS } from '../../processors/core/brand-amounts.ts';
import type { Definitions } from '../../processors/core/definitions.ts';
import { ByteReader } from '../../processors/core/packing.ts';
import type { BrandKpi } from '../../schemas/types.ts';
import { linesOf } from './published-lines.ts';
import type { Sandbox } from './sandbox.ts';
import { connectMongodb } from './service-clients.ts';

/** Each measure's numerator and denominator, by the key it is published under; what is nothing is left out. */
export type BrandFigures = ReadonlyMap<string, string>;

/** From the documents of the brand processor, whether or not they have published it yet. */
export async function storedBrands(
  place: Pick<Sandbox, 'mongodbUri' | 'database'>,
  definitions: Definitions,
): Promise<BrandFigures> {
  const client = await connectMongodb(place.mongodbUri);
  try {
    const documents = client.db(place.database).collection<{ _id: string; state: Uint8Array }>('brand.v1.state', {
      readConcern: { level: 'majority' },
      promoteBuffers: true,
    });
    const figures = new Map<string, string>();
    for await (const { _id, state } of documents.find()) {
      const brand = brandPacking.unpack(new ByteReader(Buffer.from(state)));
      const rules = rulesOf(definitions)(brand.brandId);
      for (const measure of MEASURES) {
        if (!measure.dimensions.some((dimension) => dimension === brand.dimension)) continue;
        if (measure.notOf === brand.value) continue;
        for (const [index, window] of BRAND_WINDOWS.entries()) {
          if (measure.isOfNow === true && index !== LONGEST) continue;
          const { numerator, denominator } = figureOf(measure, amountsIn(totalOf(brand), index), rules);
          const name = measure.isOfNow === true ? 'now' : window;
          add(figures, `${_id}|${measure.name}|${name}`, numerator, denominator);
        }
      }
    }
    return figures;
  } finally {
    await client.close();
  }
}

/** From the last line that a replay wrote for each key. */
export async function replayedBrands(file: string): Promise<BrandFigures> {
  const figures = new Map<string, string>();
  for await (const line of linesOf(file)) {
    const { key, value } = JSON.parse(line) as { key: string; value: BrandKpi };
    add(figures, key, value.numerator, value.denominator);
  }
  return figures;
}

function add(figures: Map<string, string>, key: string, numerator: number, denominator: number | null): void {
  if (numerator === 0 && (denominator ?? 0) === 0) figures.delete(key);
  else figures.set(key, `${numerator} / ${denominator ?? 1}`);
}
