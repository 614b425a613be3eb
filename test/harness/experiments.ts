import type { Definitions, ExperimentDefinition, ExperimentMetric } from '../../processors/core/definitions.ts';
import type { ExperimentContribution, ExperimentEvent } from '../../schemas/types.ts';
import { definitionsWith } from './definition-sets.ts';

function metric(changes: Partial<ExperimentMetric> & { readonly id: string }): ExperimentMetric {
  return {
    kind: 'conversion',
    types: ['ORDER_PLACED'],
    where: null,
    windowDays: 7,
    direction: 'up',
    guardrail: false,
    margin: 0,
    ...changes,
  };
}

/** Half and half; whether they order within a week, for how much, and how often they complain within two. */
export function experiment(changes: Partial<ExperimentDefinition> = {}): ExperimentDefinition {
  const id = changes.id ?? 'button';
  return {
    id,
    name: id,
    brands: ['*'],
    variants: [
      { id: 'A', share: 0.5, control: true },
      { id: 'B', share: 0.5, control: false },
    ],
    metrics: [
      metric({ id: 'ordered' }),
      metric({ id: 'revenue', kind: 'revenue', types: [] }),
      metric({
        id: 'complaints',
        kind: 'count',
        types: ['COMPLAINT', 'MESSAGE_CLICKED'],
        windowDays: 14,
        direction: 'down',
        guardrail: true,
      }),
    ],
    alpha: 0.05,
    tuningUnits: 5_000,
    holdout: null,
    file: `experiments/${id}.json`,
    ...changes,
  };
}

export function withExperiments(experiments: readonly ExperimentDefinition[], hash = 'hash-of-the-set'): Definitions {
  return { ...definitionsWith({}), experiments: new Map(experiments.map((each) => [each.id, each])), hash };
}

/** `B ordered 1 revenue 4200 complaints 0`, with a mark for a crossover and for the holdout; `-` for nothing. */
export function contributionText(contribution: ExperimentContribution | null): string {
  if (contribution === null) return '-';
  const { variant, crossover, heldOut, values } = contribution;
  const marks = `${crossover ? '*' : ''}${heldOut ? ' held out' : ''}`;
  return [`${variant}${marks}`, ...values.map(({ metric: id, value }) => `${id} ${value}`)].join(' ');
}

/** What counts after all events, by experiment and customer. Throws where one takes back what does not count. */
export function standingUnits(events: readonly ExperimentEvent[]): Map<string, string> {
  const standing = new Map<string, string>();
  for (const { experimentId, subject, before, after } of events) {
    const unit = `${experimentId}|${subject}`;
    const was = standing.get(unit) ?? '-';
    if (was !== contributionText(before)) throw new Error(`${unit} takes back ${contributionText(before)}, not ${was}`);
    if (after === null) standing.delete(unit);
    else standing.set(unit, contributionText(after));
  }
  return standing;
}
