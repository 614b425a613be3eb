import type { ExperimentContribution, ExperimentEvent } from '../../schemas/types.ts';
import { EXPOSURES } from './exposures.ts';
import { NOTHING_TOLD, packTold, readTold } from './told-units.ts';
import type { Turn } from './turn.ts';
import { contributionOf } from './unit-values.ts';

/**
 * Tells each experiment what the customer counts for, in place of what it was told before. A customer whose exposure is known
 * no more, because it came under an identifier that is linked no more, is taken back.
 */
export function tellUnits(turn: Turn): void {
  const { state, open, plan } = turn;
  const { experiments } = plan;
  if (experiments === null || (state.told.length === 0 && !open.parts.has(EXPOSURES))) return;
  const exposures = open.parts.get(EXPOSURES);
  const told = readTold(state.told);
  let isOther = false;
  for (const [experimentId, before] of told) {
    if (exposures.list.some((each) => each.experimentId === experimentId)) continue;
    tell(turn, experimentId, before, null);
    told.delete(experimentId);
    isOther = true;
  }
  const book = exposures.list.length === 0 ? null : open.book;
  for (const exposure of exposures.list) {
    const { experimentId } = exposure;
    const definition = experiments.byId.get(experimentId);
    // What is defined no more stands as it is.
    if (definition === undefined || book === null) continue;
    const before = told.get(experimentId) ?? null;
    const after = contributionOf(exposure, exposures, book, definition, experiments, before);
    if (before !== null && isSame(before, after)) continue;
    tell(turn, experimentId, before, after);
    told.set(experimentId, after);
    isOther = true;
  }
  if (isOther) state.told = packTold(told);
}

/** Takes everything back that this document told: the customer counts under another identifier from now on. */
export function takeUnitsBack(turn: Turn): void {
  const { state } = turn;
  for (const [experimentId, before] of readTold(state.told)) tell(turn, experimentId, before, null);
  state.told = NOTHING_TOLD;
}

function tell(
  { state, now, outputs }: Turn,
  experimentId: string,
  before: ExperimentContribution | null,
  after: ExperimentContribution | null,
): void {
  const { brandId, subject } = state;
  const value: ExperimentEvent = { brandId, experimentId, subject, occurredAt: now, before, after };
  outputs.push({ topic: 'experiment-events.v1', key: `${brandId}|${experimentId}`, value, timestamp: now });
}

function isSame(one: ExperimentContribution, other: ExperimentContribution): boolean {
  return (
    one.variant === other.variant &&
    one.crossover === other.crossover &&
    one.heldOut === other.heldOut &&
    one.values.length === other.values.length &&
    one.values.every(({ metric, value }, place) => {
      const against = other.values[place];
      return against?.metric === metric && against.value === value;
    })
  );
}
