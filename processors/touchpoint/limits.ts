import type { TouchpointSettings } from '../core/definitions.ts';
import { cusumRunLength, ewmaLimit, ewmaRunLength, limitFor } from './run-length.ts';

/** Where the charts of subgroup means signal, in standard deviations of a subgroup's mean. */
export interface ChartLimits {
  /** The CUSUM's reference value, half the shift it finds fastest. */
  readonly reference: number;
  readonly cusum: number;
  readonly ewma: number;
}

const known = new WeakMap<TouchpointSettings, ChartLimits>();

/** The limits at which one false alarm comes in so many subgroups as the settings want; solved once for each settings. */
export function chartLimits(settings: TouchpointSettings): ChartLimits {
  let limits = known.get(settings);
  if (limits === undefined) {
    const { inControlAnswers, subgroupAnswers, shift, smoothing } = settings;
    const wanted = inControlAnswers / subgroupAnswers;
    const reference = shift / 2;
    const width = limitFor(wanted, (each) => ewmaRunLength(smoothing, each, 0));
    limits = {
      reference,
      cusum: limitFor(wanted, (each) => cusumRunLength(reference, each, 0)),
      ewma: ewmaLimit(smoothing, width),
    };
    known.set(settings, limits);
  }
  return limits;
}
