import type { TouchpointSettings } from '../core/definitions.ts';
import type { Instant } from '../core/processor.ts';
import { BEST_UNITS, type Answer } from '../core/surveys.ts';
import { designBernoulli, type BernoulliDesign } from './bernoulli-run-length.ts';

/** Sums over answers, from which a baseline is made. */
export interface Learning {
  answers: number;
  units: number;
  squares: number;
  dissatisfied: number;
  /** When the first answer was folded. */
  since: Instant;
}

/** What a metric of a touchpoint was like when it was learnt: frozen, whatever comes. Positions count from 0 to 1. */
export interface Baseline {
  readonly answers: number;
  readonly mean: number;
  readonly deviation: number;
  /** Half an answer more, of one more, so that nothing is impossible. */
  readonly dissatisfiedShare: number;
  readonly since: Instant;
  readonly frozenAt: Instant;
  /** null: so many answers are dissatisfied that their share is not charted. */
  readonly bernoulli: BernoulliDesign | null;
}

/** Less spread than this, on a scale from 0 to 1, is taken for this: answers that were all alike say little about the next. */
const DEVIATION_MIN = 0.05;

export function newLearning(): Learning {
  return { answers: 0, units: 0, squares: 0, dissatisfied: 0, since: 0 };
}

/** Takes an answer in; answers the baseline when it completes one. */
export function learn(learning: Learning, answer: Answer, now: Instant, settings: TouchpointSettings): Baseline | null {
  if (learning.answers === 0) learning.since = now;
  learning.answers += 1;
  learning.units += answer.units;
  learning.squares += answer.units * answer.units;
  if (answer.kind === 'dissatisfied') learning.dissatisfied += 1;
  return learning.answers < settings.baselineAnswers ? null : freeze(learning, now, settings);
}

function freeze(learning: Learning, now: Instant, settings: TouchpointSettings): Baseline {
  const { answers, units, squares, dissatisfied, since } = learning;
  const variance = Math.max(0, (squares - (units * units) / answers) / (answers - 1));
  const p0 = (dissatisfied + 0.5) / (answers + 1);
  const p1 = Math.min(settings.dissatisfiedRatio * p0, (1 + p0) / 2);
  return {
    answers,
    mean: units / answers / BEST_UNITS,
    deviation: Math.max(DEVIATION_MIN, Math.sqrt(variance) / BEST_UNITS),
    dissatisfiedShare: p0,
    since,
    frozenAt: now,
    bernoulli: designBernoulli(p0, p1, settings.inControlAnswers),
  };
}
