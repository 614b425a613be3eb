import type { Instant } from '../core/processor.ts';
import type { Span } from '../core/window.ts';
import { benjaminiHochberg } from './benjamini-hochberg.ts';
import { share } from '../core/estimates.ts';
import { fisherExact } from './fisher-exact.ts';
import { ANSWER_KINDS, measuresOf, type ScoreState } from './score-state.ts';
import { windowSum } from './series.ts';

/** What customers said about one touchpoint in a window, on any channel and any metric. */
export interface TouchpointAnswers {
  readonly answers: number;
  readonly dissatisfied: number;
  readonly complaints: number;
}

/** How much one touchpoint hurts. */
export interface RankedTouchpoint extends TouchpointAnswers {
  readonly touchpoint: string;
  /** Dissatisfied answers ÷ answers, with the 95 percent interval of Wilson. */
  readonly share: number;
  readonly low: number;
  readonly high: number;
  /** Dissatisfied answers it would have with the brand's pooled share. */
  readonly expected: number;
  /** Dissatisfied answers beyond these; below 0 it does better than the brand. */
  readonly excess: number;
  /** The chance of so many or more if it were like the brand's other touchpoints. */
  readonly p: number;
  /** p adjusted for the number of touchpoints. */
  readonly adjustedP: number;
  readonly isSignificant: boolean;
}

const DISSATISFIED = ANSWER_KINDS.indexOf('dissatisfied');

/** What a touchpoint on one channel has in a window as of `now`. Texts are no answers: they may belong to one. */
export function answersIn(state: ScoreState, span: Span, now: Instant): TouchpointAnswers {
  let [answers, dissatisfied] = [0, 0];
  for (const [measure, { answers: bundle }] of measuresOf(state)) {
    if (measure === 'SENTIMENT') continue;
    for (const [kind] of ANSWER_KINDS.entries()) {
      const series = bundle.series[kind];
      const count = series === undefined ? 0 : windowSum(series, span, now);
      answers += count;
      if (kind === DISSATISFIED) dissatisfied += count;
    }
  }
  const [complaints] = state.complaints.series;
  return { answers, dissatisfied, complaints: complaints === undefined ? 0 : windowSum(complaints, span, now) };
}

/**
 * Where a brand's journey hurts most: touchpoints with significantly more dissatisfied answers than the brand's others first, at a
 * false discovery rate of `q`, then by how many dissatisfied answers they have beyond the brand's pooled share. A touchpoint without
 * answers is not ranked. What counts as dissatisfied is for the surveys to say, so that metrics can be pooled.
 */
export function rankTouchpoints(of: ReadonlyMap<string, TouchpointAnswers>, q: number): RankedTouchpoint[] {
  const known = [...of].filter(([, { answers }]) => answers > 0);
  const all = known.reduce((total, [, { answers }]) => total + answers, 0);
  const bad = known.reduce((total, [, { dissatisfied }]) => total + dissatisfied, 0);
  const pValues = known.map(([, { answers, dissatisfied }]) => fisherExact(dissatisfied, answers, bad, all));
  const judged = benjaminiHochberg(pValues, q);
  const ranked = known.map(([touchpoint, counts], index): RankedTouchpoint => {
    const { answers, dissatisfied } = counts;
    const estimate = share(dissatisfied, answers) ?? { value: 0, low: 0, high: 1 };
    const expected = (answers * bad) / all;
    return {
      ...{ touchpoint, ...counts },
      ...{ share: estimate.value, low: estimate.low, high: estimate.high },
      ...{ expected, excess: dissatisfied - expected, p: pValues[index] ?? 1 },
      ...{ adjustedP: judged[index]?.adjusted ?? 1, isSignificant: judged[index]?.isRejected ?? false },
    };
  });
  return ranked.sort(
    (left, right) =>
      Number(right.isSignificant) - Number(left.isSignificant) ||
      right.excess - left.excess ||
      (left.touchpoint < right.touchpoint ? -1 : 1),
  );
}
