import { PipelineError } from '../core/errors.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';
import type { BrandChanges } from './brand-changes.ts';
import { addChanges, newDocuments, type BrandDocuments } from './brand-documents.ts';
import { brandLedger } from './brand-partials.ts';
import type { Flip } from './flips.ts';
import type { ChurnBand } from './features.ts';
import {
  addOutcome,
  newOutcomes,
  outcomeGauges,
  packOutcomes,
  unpackOutcomes,
  type OutcomeAddition,
  type OutcomeTotals,
} from './outcome-totals.ts';
import {
  addTrigger,
  packTriggerTotals,
  triggerGauges,
  unpackTriggerTotals,
  type TriggerAddition,
  type TriggerTotals,
} from './trigger-totals.ts';

/** The label of a customer without a churn probability. */
export const INSUFFICIENT_DATA = 'INSUFFICIENT_DATA';
export type BandLabel = ChurnBand | typeof INSUFFICIENT_DATA;

/** One customer more or less in a band, a stage or a lifecycle of a brand. */
export interface CountAddition {
  readonly brandId: string;
  readonly of: 'band' | 'stage' | 'lifecycle';
  readonly label: string;
  readonly by: number;
}

/** Segments that one customer entered or left. */
export interface SegmentsAddition {
  readonly brandId: string;
  readonly of: 'segments';
  readonly flips: readonly Pick<Flip, 'segmentId' | 'change'>[];
}

export type CustomerAddition = CountAddition | SegmentsAddition | OutcomeAddition | TriggerAddition | BrandChanges;

interface BrandTotals {
  readonly segments: Map<string, number>;
  readonly bands: Map<string, number>;
  readonly stages: Map<string, number>;
  readonly lifecycles: Map<string, number>;
  readonly outcomes: OutcomeTotals;
  readonly triggers: TriggerTotals;
}

/** Of one partition. */
export interface CustomerTotals {
  /** How many customers each brand has in each segment, churn band, stage and lifecycle, and what came of churn risks. */
  readonly brands: Map<string, BrandTotals>;
  /** What the measures of brands are made of. */
  readonly documents: BrandDocuments;
}

export const customerTotals: TotalsDefinition<CustomerTotals, CustomerAddition> = {
  initial: () => ({ brands: new Map(), documents: newDocuments() }),
  ledger: brandLedger,

  contribute({ brands, documents }, addition) {
    if (addition.of === 'brand') {
      addChanges(documents, addition);
      return;
    }
    const { brandId } = addition;
    let brand = brands.get(brandId);
    if (brand === undefined) {
      brand = newBrandTotals();
      brands.set(brandId, brand);
    }
    if (addition.of === 'outcome') {
      addOutcome(brand.outcomes, addition);
      return;
    }
    if (addition.of === 'trigger') {
      addTrigger(brand.triggers, addition);
      return;
    }
    if (addition.of === 'segments') {
      for (const { segmentId, change } of addition.flips)
        count(brand.segments, segmentId, change === 'ENTERED' ? 1 : -1);
      return;
    }
    const { of, label, by } = addition;
    count(countsOf(brand, of), label, by);
  },

  *gauges({ brands }): Iterable<GaugeSample> {
    for (const [brand, { segments, bands, stages, lifecycles, outcomes, triggers }] of brands) {
      for (const [segment, value] of segments) yield { name: 'segment_members', labels: { brand, segment }, value };
      for (const [band, value] of bands) yield { name: 'customers', labels: { brand, churn_band: band }, value };
      for (const [stage, value] of stages)
        yield { name: 'stage_customers', labels: { brand, journey_stage: stage }, value };
      for (const [lifecycle, value] of lifecycles)
        yield { name: 'lifecycle_customers', labels: { brand, lifecycle }, value };
      yield* outcomeGauges(brand, outcomes);
      yield* triggerGauges(brand, triggers);
    }
  },

  pack({ brands }, writer) {
    writer.byte(VERSION);
    writer.uint(brands.size);
    for (const [brandId, { segments, bands, stages, lifecycles, outcomes, triggers }] of brands) {
      writer.string(brandId);
      packCounts(segments, writer);
      packCounts(bands, writer);
      packCounts(stages, writer);
      packCounts(lifecycles, writer);
      packOutcomes(outcomes, writer);
      packTriggerTotals(triggers, writer);
    }
  },

  unpack(reader) {
    const version = reader.byte();
    // Version 1 knew nothing of outcomes, those before 4 nothing of journeys, before 6 of triggers; 3 and 4 had what brand-kpis.v1 tells by now.
    if (version < 1 || version > VERSION) {
      throw new PipelineError(
        'store_unreadable',
        `customer totals have version ${version}; this program reads ${VERSION}`,
        {
          retriable: false,
        },
      );
    }
    const totals = customerTotals.initial();
    for (let left = reader.uint(); left > 0; left--) {
      const brandId = reader.string();
      const [segments, bands] = [unpackCounts(reader), unpackCounts(reader)];
      if (version === 3 || version === 4) unpackCounts(reader);
      const stages = version < 4 ? new Map<string, number>() : unpackCounts(reader);
      const lifecycles = version < 4 ? new Map<string, number>() : unpackCounts(reader);
      const outcomes = version === 1 ? newOutcomes() : unpackOutcomes(reader);
      const triggers = version < 6 ? [] : unpackTriggerTotals(reader);
      totals.brands.set(brandId, { segments, bands, stages, lifecycles, outcomes, triggers });
    }
    return totals;
  },
};

const VERSION = 6;

function newBrandTotals(): BrandTotals {
  return {
    segments: new Map(),
    bands: new Map(),
    stages: new Map(),
    lifecycles: new Map(),
    outcomes: newOutcomes(),
    triggers: [],
  };
}

/** One that is empty stays as 0, so that its gauge falls to 0 instead of standing still. */
function count(counts: Map<string, number>, label: string, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}

function countsOf(brand: BrandTotals, of: CountAddition['of']): Map<string, number> {
  switch (of) {
    case 'band':
      return brand.bands;
    case 'stage':
      return brand.stages;
    case 'lifecycle':
      return brand.lifecycles;
  }
}

function packCounts(counts: ReadonlyMap<string, number>, writer: ByteWriter): void {
  writer.uint(counts.size);
  for (const [label, count] of counts) {
    writer.string(label);
    writer.int(count);
  }
}

function unpackCounts(reader: ByteReader): Map<string, number> {
  const counts = new Map<string, number>();
  for (let left = reader.uint(); left > 0; left--) counts.set(reader.string(), reader.int());
  return counts;
}
