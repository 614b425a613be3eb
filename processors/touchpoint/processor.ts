import type { Definitions } from '../core/definitions.ts';
import type { StatefulProcessor } from '../core/processor.ts';
import type { TouchpointEvent } from '../../schemas/types.ts';
import { fallDue, foldCase } from './case-steps.ts';
import { foldScores, settleScores, settleScoresEnd } from './fold-scores.ts';
import { rulesOf } from './rules.ts';
import { initialState, isBlank, touchpointPacking, type TouchpointState } from './state.ts';
import type { TouchpointTotals } from './shown-touchpoints.ts';
import { touchpointTotals, type TouchpointAddition } from './totals.ts';

export type TouchpointProcessor = StatefulProcessor<
  TouchpointState,
  TouchpointEvent,
  TouchpointTotals,
  TouchpointAddition
>;

/**
 * How satisfied customers are: one document for each touchpoint of a brand on a channel, with scores over windows and control
 * charts, and one for each customer's case at a touchpoint.
 */
export function createTouchpoint(definitions: Definitions): TouchpointProcessor {
  const rules = rulesOf(definitions);
  return {
    kind: 'stateful',
    name: 'touchpoint',
    version: 1,
    inputs: ['touchpoint-events.v1'],
    outputs: ['touchpoint-scores.v1', 'touchpoint-alerts.v1', 'cases.v1'],
    state: touchpointPacking,
    totals: touchpointTotals(rules.shownOf),
    occurredAt: ({ occurredAt }) => occurredAt,
    initial: initialState,
    isBlank,
    clock: ({ at }) => at,
    advance(state, now) {
      if (now > state.at) state.at = now;
    },
    nextDue: ({ due }) => due,
    onRecord: (state, event, now) =>
      state.kind === 'scores' ? foldScores(state, event, now, rules) : foldCase(state, event, now, rules),
    onDue: (state, due) => (state.kind === 'scores' ? settleScores(state, due, rules) : fallDue(state, due, rules)),
    atEnd: (state, now) =>
      state.kind === 'scores' ? settleScoresEnd(state, now, rules) : { kind: 'apply', outputs: [] },
  };
}
