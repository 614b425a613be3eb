import { describe, expect, test } from 'vitest';
import { compileDefinitions } from '../../processors/customer/brand-rules.ts';
import { EXPOSURES, mergeExposures } from '../../processors/customer/exposures.ts';
import { OpenState } from '../../processors/customer/open-state.ts';
import { planOf } from '../../processors/customer/plan.ts';
import type { CustomerState } from '../../processors/customer/state.ts';
import { takeUnitsBack, tellUnits } from '../../processors/customer/tell-units.ts';
import type { Turn } from '../../processors/customer/turn.ts';
import type { ExperimentEvent } from '../../schemas/types.ts';
import { experiment, standingUnits, withExperiments } from '../harness/experiments.ts';
import { CustomerDriver, HOUR, MIDNIGHT } from './customer-fixture.ts';

const T = MIDNIGHT + 9 * HOUR;
const definitions = withExperiments([experiment()]);

function customer(subject: string, variant: string, at: number): CustomerDriver {
  const exposure = { type: 'EXPERIMENT_EXPOSED', experiment: { experimentId: 'button', variant } } as const;
  return new CustomerDriver(definitions, subject).record(at, exposure).record(at + HOUR, { type: 'COMPLAINT' });
}

function turnOf(state: CustomerState, outputs: Turn['outputs']): Turn {
  const open = new OpenState();
  open.open(state);
  const plan = planOf(compileDefinitions(definitions)('acme'));
  return { state, open, plan, now: state.at, cause: 'MERGE', everything: true, outputs, contributions: [] };
}

function unitsIn(outputs: Turn['outputs']): Record<string, string> {
  const events = outputs
    .filter(({ topic }) => topic === 'experiment-events.v1')
    .map(({ value }) => value as ExperimentEvent);
  return Object.fromEntries(standingUnits(events));
}

describe('a guest and a known customer, each exposed, who turn out to be one', () => {
  const guest = customer('a:1', 'B', T);
  const known = customer('u:1', 'A', T + 30 * 60_000);
  const apart = [...guest.outputs, ...known.outputs];
  const merged = [...apart];
  const alone = known.state.parts;
  const turn = turnOf(known.state, merged);
  const theirs = turnOf(guest.state, merged);
  const both = mergeExposures(turn.open.parts.get(EXPOSURES), structuredClone(theirs.open.parts.get(EXPOSURES)));
  turn.open.parts.put(EXPOSURES, both);
  tellUnits(turn);
  takeUnitsBack(theirs);

  test('are two units before', () => {
    expect(unitsIn(apart)).toEqual({
      'button|a:1': 'B ordered 0 revenue 0 complaints 1',
      'button|u:1': 'A ordered 0 revenue 0 complaints 1',
    });
  });

  test('are one afterwards, of the first exposure, a crossover, with what both did', () => {
    expect(unitsIn(merged)).toEqual({ 'button|u:1': 'B* ordered 0 revenue 0 complaints 2' });
    expect(guest.state.told).toHaveLength(0);
  });

  test('are two again when they are parted', () => {
    known.state.parts = alone;
    const parted = [...merged];
    tellUnits(turnOf(known.state, parted));
    tellUnits(turnOf(guest.state, parted));
    expect(unitsIn(parted)).toEqual(unitsIn(apart));
  });
});

test('who has no exposure any more is no unit', () => {
  const driver = customer('u:1', 'A', T);
  driver.state.parts = Buffer.alloc(0);
  tellUnits(turnOf(driver.state, driver.outputs));
  expect(unitsIn(driver.outputs)).toEqual({});
});
