import { PipelineError } from '../core/errors.ts';
import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { Instant, Packing, Summary } from '../core/processor.ts';
import { newSums, type Sums } from './moments.ts';

/** One metric of one variant. */
export interface MetricState {
  readonly sums: Sums;
  /** ln of the greatest evidence against the control so far, at least 0: what p is of. */
  logEvidence: number;
  /** Which way the difference went then: 1 up, −1 down, 0 none yet. */
  sign: number;
}

export interface VariantState {
  units: number;
  crossovers: number;
  heldOut: number;
  readonly metrics: Map<string, MetricState>;
}

/** What is kept of one experiment of one brand. No unit is in it, only sums over them. */
export interface ExperimentState {
  readonly key: string;
  readonly brandId: string;
  readonly experimentId: string;
  /** The document's clock. */
  at: Instant;
  /** When results were last published; −1: never. */
  publishedAt: Instant;
  /** They changed less than a minute after that. */
  mustPublish: boolean;
  /** ln of the greatest evidence against the intended shares so far, at least 0. */
  ratioLogEvidence: number;
  /** By name: what the definitions ever named. */
  readonly variants: Map<string, VariantState>;
}

const VERSION = 1;

export function initialState(key: string): ExperimentState {
  const bar = key.indexOf('|');
  return {
    key,
    brandId: key.slice(0, bar),
    experimentId: key.slice(bar + 1),
    at: 0,
    publishedAt: -1,
    mustPublish: false,
    ratioLogEvidence: 0,
    variants: new Map(),
  };
}

export function variantOf({ variants }: ExperimentState, name: string): VariantState {
  const known = variants.get(name) ?? { units: 0, crossovers: 0, heldOut: 0, metrics: new Map<string, MetricState>() };
  variants.set(name, known);
  return known;
}

export function metricOf({ metrics }: VariantState, id: string): MetricState {
  const known = metrics.get(id) ?? { sums: newSums(), logEvidence: 0, sign: 0 };
  metrics.set(id, known);
  return known;
}

export const experimentPacking: Packing<ExperimentState> & { summarize(reader: ByteReader): Summary } = {
  pack(state: ExperimentState, writer: ByteWriter): void {
    writer.byte(VERSION);
    writer.string(state.key);
    writer.uint(state.at);
    writer.double(state.ratioLogEvidence);
    writer.uint(state.variants.size);
    for (const [name, { units, crossovers, heldOut }] of state.variants) {
      writer.string(name);
      writer.int(units);
      writer.int(crossovers);
      writer.int(heldOut);
    }
    writer.uint(state.publishedAt + 1);
    writer.byte(state.mustPublish ? 1 : 0);
    for (const { metrics } of state.variants.values()) {
      writer.uint(metrics.size);
      for (const [id, metric] of metrics) packMetric(id, metric, writer);
    }
  },

  /** @throws PipelineError `store_unreadable` for a version that is not known */
  unpack(reader: ByteReader): ExperimentState {
    checkVersion(reader);
    const state = initialState(reader.string());
    state.at = reader.uint();
    state.ratioLogEvidence = reader.double();
    for (let left = reader.uint(); left > 0; left--) unpackCounts(state, reader);
    state.publishedAt = reader.uint() - 1;
    state.mustPublish = reader.byte() === 1;
    for (const { metrics } of state.variants.values()) {
      for (let left = reader.uint(); left > 0; left--) metrics.set(reader.string(), unpackMetric(reader));
    }
    return state;
  },

  /** Reads the front of the packed bytes. */
  summarize(reader: ByteReader): Summary {
    checkVersion(reader);
    const state = initialState(reader.string());
    const at = new Date(reader.uint());
    const ratioLogEvidence = reader.double();
    for (let left = reader.uint(); left > 0; left--) unpackCounts(state, reader);
    const { brandId, experimentId } = state;
    const variants = Array.from(state.variants, ([variant, { units, crossovers, heldOut }]) => {
      return { variant, units, crossovers, heldOut };
    });
    return { at, brandId, experimentId, ratioLogEvidence, variants };
  },
};

function unpackCounts(state: ExperimentState, reader: ByteReader): void {
  const variant = variantOf(state, reader.string());
  variant.units = reader.int();
  variant.crossovers = reader.int();
  variant.heldOut = reader.int();
}

function packMetric(id: string, { sums, logEvidence, sign }: MetricState, writer: ByteWriter): void {
  writer.string(id);
  writer.int(sums.units);
  writer.string(sums.sum.toString());
  writer.string(sums.squares.toString());
  writer.double(logEvidence);
  writer.int(sign);
}

function unpackMetric(reader: ByteReader): MetricState {
  const sums: Sums = { units: reader.int(), sum: BigInt(reader.string()), squares: BigInt(reader.string()) };
  return { sums, logEvidence: reader.double(), sign: reader.int() };
}

function checkVersion(reader: ByteReader): void {
  const version = reader.byte();
  if (version === VERSION) return;
  throw new PipelineError(
    'store_unreadable',
    `an experiment's state has version ${version}; this program reads version ${VERSION}`,
    { retriable: false },
  );
}
