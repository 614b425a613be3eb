import { describe, expect, test } from 'vitest';
import { CaseDesk } from '../../processors/simulation/desk.ts';
import { HOUR_MS } from '../../processors/simulation/rhythm.ts';
import type { CaseChanged } from '../../schemas/types.ts';
import { T, TouchpointDriver } from '../processors/touchpoint-fixture.ts';

/** The first of a touchpoint's cases, as it is published when it is opened. */
function opened(customer: number): CaseChanged {
  const subject = `u:${customer}`;
  const [first] = new TouchpointDriver(subject).record(T, { subject, value: 0 }).cases;
  if (first === undefined) throw new Error('nothing was opened');
  return first;
}
const MANY = Array.from({ length: 400 }, (_, customer) => opened(customer));
const YEAR = T + 365 * 24 * HOUR_MS;

describe('the desk of the simulated shop', () => {
  test('acknowledges most cases within hours and resolves them within days, some too late, the others never', () => {
    const desk = new CaseDesk(1);
    for (const each of MANY) desk.hear(each);
    const commands = desk.commandsUntil(YEAR);
    const resolved = commands.filter(({ value }) => value.kind === 'CASE_RESOLVE');
    const acknowledged = commands.filter(({ value }) => value.kind === 'CASE_ACKNOWLEDGE');
    expect(acknowledged.length).toBe(resolved.length);
    expect(resolved.length / MANY.length).toBeCloseTo(0.85, 1);
    expect(Math.max(...acknowledged.map(({ timestamp }) => timestamp - T))).toBeLessThanOrEqual(8 * HOUR_MS);
    const late = resolved.filter(
      ({ timestamp, value }) => timestamp > (MANY.find(({ caseId }) => caseId === value.target)?.dueAt ?? 0),
    );
    expect(late.length).toBeGreaterThan(10);
    expect(late.length).toBeLessThan(resolved.length / 4);
    expect(commands.map(({ timestamp }) => timestamp)).toEqual(
      commands.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b),
    );
  });

  test('gives each command once, when its time has come, and the same ones whatever else is heard', () => {
    const desk = new CaseDesk(1);
    for (const each of MANY) desk.hear(each);
    const halfway = desk.commandsUntil(T + 4 * HOUR_MS);
    const all = [...halfway, ...desk.commandsUntil(YEAR)];
    expect(desk.commandsUntil(YEAR)).toEqual([]);
    const other = new CaseDesk(1);
    for (const each of MANY.toReversed()) other.hear(each);
    const byId = (records: typeof all) => records.toSorted((a, b) => (a.value.commandId < b.value.commandId ? -1 : 1));
    expect(byId(other.commandsUntil(YEAR))).toEqual(byId(all));
    expect(new Set(all.map(({ value }) => value.commandId)).size).toBe(all.length);
  });

  test('does what moves the case on, so that the next answer verifies it', () => {
    const first = MANY.find(({ customerId }) => customerId === 'u:3');
    const desk = new CaseDesk(2);
    if (first !== undefined) desk.hear(first);
    const subject = 'u:3';
    const driver = new TouchpointDriver(subject).record(T, { subject, value: 0 });
    for (const { timestamp, value } of desk.commandsUntil(YEAR)) {
      const { kind, target, issuedBy, commandId } = value;
      if (kind !== 'CASE_ACKNOWLEDGE' && kind !== 'CASE_RESOLVE') throw new Error('no command about a case');
      driver.record(timestamp, { subject, kind, caseId: target, issuedBy, eventId: commandId });
    }
    driver.record(YEAR, { subject, value: 9 });
    const changes = driver.cases.map(({ change }) => change).filter((change) => change !== 'OVERDUE');
    expect(changes).toEqual(['OPENED', 'ACKNOWLEDGED', 'RESOLVED', 'VERIFIED']);
    // Of these nothing is to be done.
    for (const each of driver.cases.slice(1)) desk.hear(each);
    expect(desk.commandsUntil(YEAR * 2)).toEqual([]);
  });
});
