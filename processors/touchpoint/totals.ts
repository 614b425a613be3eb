import { PipelineError } from '../core/errors.ts';
import type { GaugeSample, TotalsDefinition } from '../core/processor.ts';
import { CHANNELS } from './channels.ts';
import { ANSWER_KINDS, MEASURES, type Measure } from './score-state.ts';
import { TouchpointTotals, type ShownOf } from './shown-touchpoints.ts';

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

/** Something more or less of one series. */
export interface TouchpointAddition {
  readonly brandId: string;
  readonly touchpoint: string;
  readonly series: number;
  readonly by: number;
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

/** The totals of one partition. What they show of touchpoints is for the rules to say (`shown-touchpoints.ts`). */
export function touchpointTotals(shownOf: ShownOf): TotalsDefinition<TouchpointTotals, TouchpointAddition> {
  return {
    initial: () => new TouchpointTotals(shownOf),

    contribute(totals, { brandId, touchpoint, series, by }) {
      totals.add(brandId, touchpoint, series, by);
    },

    *gauges({ brands }): Iterable<GaugeSample> {
      for (const [brand, touchpoints] of brands) {
        for (const [touchpoint, values] of touchpoints) {
          for (const [series, value] of values) yield sampleOf(series, { brand, touchpoint }, value);
        }
      }
    },

    pack({ brands }, writer) {
      writer.byte(VERSION);
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
      if (!VERSIONS.includes(version)) {
        const message = `touchpoint totals have version ${version}; this program reads versions ${VERSIONS.join(' and ')}`;
        throw new PipelineError('store_unreadable', message, { retriable: false });
      }
      // Version 1 told how many names there are.
      if (version === 1) reader.uint();
      // Added as if it came now, so that what settings list since then counts.
      const totals = new TouchpointTotals(shownOf);
      for (let brands = reader.uint(); brands > 0; brands--) {
        const brandId = reader.string();
        for (let touchpoints = reader.uint(); touchpoints > 0; touchpoints--) {
          const touchpoint = reader.string();
          for (let series = reader.uint(); series > 0; series--) {
            totals.add(brandId, touchpoint, reader.uint(), reader.int());
          }
        }
      }
      return totals;
    },
  };
}

/** 2: which names are shown no longer depends on which came first. */
const VERSION = 2;
const VERSIONS: readonly number[] = [1, VERSION];

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
