import type { Definitions } from '../core/definitions.ts';
import type { StatefulProcessor } from '../core/processor.ts';
import type { ExperimentEvent } from '../../schemas/types.ts';
import { foldUnit, resultsDue, settleResults } from './fold-units.ts';
import { rulesOf } from './rules.ts';
import { experimentPacking, initialState, type ExperimentState } from './state.ts';
import { experimentTotals, type ExperimentAddition, type ExperimentTotals } from './totals.ts';

export type ExperimentProcessor = StatefulProcessor<
  ExperimentState,
  ExperimentEvent,
  ExperimentTotals,
  ExperimentAddition
>;

/** How the variants of experiments compare: one document for each experiment of each brand, with sums over its units. */
export function createExperiment(definitions: Definitions): ExperimentProcessor {
  const rules = rulesOf(definitions);
  return {
    kind: 'stateful',
    name: 'experiment',
    version: 1,
    inputs: ['experiment-events.v1'],
    outputs: ['experiment-results.v1'],
    state: experimentPacking,
    totals: experimentTotals,
    occurredAt: ({ occurredAt }) => occurredAt,
    initial: initialState,
    clock: ({ at }) => at,
    advance(state, now) {
      if (now > state.at) state.at = now;
    },
    nextDue: resultsDue,
    onRecord: (state, event, now) => foldUnit(state, event, now, rules),
    onDue: (state, due) => settleResults(state, due, rules),
    atEnd: (state, now) => settleResults(state, now, rules),
  };
}
