import { PipelineError } from '../core/errors.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';
import { CHANNELS } from './channels.ts';
import { ANSWER_KINDS, MEASURES, type Measure } from './score-state.ts';

/**
 * What gauges count of a touchpoint, as a small number in packed totals: 0 to 15 for its cases, then sixteen for each channel.
 * Numbers are only ever added.
 */
export const CASE_SERIES = {
  OPEN: 0,
  ACKNOWLEDGED: 1,
  RESOLVED: 2,
  VERIFIED: 3,
  overdue: 4,
  reopenings: 5,
  resolutions: 6,
  resolveSeconds: 7,
} as const;
const PER_CHANNEL = 16;
const CASE_STATES = ['OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'VERIFIED'] as const;
const CASE_GAUGES = ['cases_overdue', 'case_reopenings', 'case_resolutions', 'case_resolve_seconds'] as const;

/** So many touchpoints of a partition are counted under their own names, the first ones; the rest together as this. */
export const TOUCHPOINTS_MAX = 100;
const OTHER = 'other';

/** Something more or less of one series. */
export interface TouchpointAddition {
  readonly brandId: string;
  readonly touchpoint: string;
  readonly series: number;
  readonly by: number;
}

/** Of one partition: by brand and touchpoint, the value of each series. */
export interface TouchpointTotals {
  readonly brands: Map<string, Map<string, Map<number, number>>>;
  /** How many touchpoints have a name of their own. */
  named: number;
}

export function alertSeries(channel: string): number {
  return (
    PER_CHANNEL *
    (1 +
      Math.max(
        0,
        CHANNELS.findIndex((each) => each === channel),
      ))
  );
}

/** The series of satisfied answers; neutral and dissatisfied ones follow. */
export function answerSeries(channel: string, measure: Measure): number {
  return alertSeries(channel) + 1 + MEASURES.indexOf(measure) * ANSWER_KINDS.length;
}

export const touchpointTotals: TotalsDefinition<TouchpointTotals, TouchpointAddition> = {
  initial: () => ({ brands: new Map(), named: 0 }),

  contribute(totals, { brandId, touchpoint, series, by }) {
    const values = valuesOf(totals, brandId, touchpoint);
    // What falls to nothing stays as 0, so that its gauge falls to 0 instead of standing still.
    values.set(series, (values.get(series) ?? 0) + by);
  },

  *gauges({ brands }): Iterable<GaugeSample> {
    for (const [brand, touchpoints] of brands) {
      for (const [touchpoint, values] of touchpoints) {
        for (const [series, value] of values) yield sampleOf(series, { brand, touchpoint }, value);
      }
    }
  },

  pack({ brands, named }, writer) {
    writer.byte(VERSION);
    writer.uint(named);
    writer.uint(brands.size);
    for (const [brandId, touchpoints] of brands) {
      writer.string(brandId);
      writer.uint(touchpoints.size);
      for (const [touchpoint, values] of touchpoints) {
        writer.string(touchpoint);
        writer.uint(values.size);
        for (const [series, value] of values) {
          writer.uint(series);
          writer.int(value);
        }
      }
    }
  },

  unpack(reader) {
    const version = reader.byte();
    if (version !== VERSION) {
      const message = `touchpoint totals have version ${version}; this program reads version ${VERSION}`;
      throw new PipelineError('store_unreadable', message, { retriable: false });
    }
    const totals: TouchpointTotals = { brands: new Map(), named: reader.uint() };
    for (let brands = reader.uint(); brands > 0; brands--) {
      const touchpoints = new Map<string, Map<number, number>>();
      totals.brands.set(reader.string(), touchpoints);
      for (let left = reader.uint(); left > 0; left--) {
        const values = new Map<number, number>();
        touchpoints.set(reader.string(), values);
        for (let series = reader.uint(); series > 0; series--) values.set(reader.uint(), reader.int());
      }
    }
    return totals;
  },
};

const VERSION = 1;

function valuesOf(totals: TouchpointTotals, brandId: string, touchpoint: string): Map<number, number> {
  const touchpoints = totals.brands.get(brandId) ?? new Map<string, Map<number, number>>();
  totals.brands.set(brandId, touchpoints);
  const own = touchpoints.get(touchpoint);
  if (own !== undefined) return own;
  const isNamed = totals.named < TOUCHPOINTS_MAX;
  if (isNamed) totals.named += 1;
  const name = isNamed ? touchpoint : OTHER;
  const values = touchpoints.get(name) ?? new Map<number, number>();
  touchpoints.set(name, values);
  return values;
}

function sampleOf(series: number, of: { brand: string; touchpoint: string }, value: number): GaugeSample {
  if (series < PER_CHANNEL) {
    const state = CASE_STATES[series];
    if (state !== undefined) return { name: 'cases', labels: { ...of, case_state: state }, value };
    return { name: CASE_GAUGES[series - CASE_STATES.length] ?? '', labels: of, value };
  }
  const channel = CHANNELS[Math.floor(series / PER_CHANNEL) - 1] ?? 'UNKNOWN';
  const place = (series % PER_CHANNEL) - 1;
  if (place < 0) return { name: 'touchpoint_alerts', labels: { ...of, channel }, value };
  const metric = MEASURES[Math.floor(place / ANSWER_KINDS.length)] ?? '';
  const answer = ANSWER_KINDS[place % ANSWER_KINDS.length] ?? '';
  return { name: 'touchpoint_answers', labels: { ...of, channel, metric, answer }, value };
}
