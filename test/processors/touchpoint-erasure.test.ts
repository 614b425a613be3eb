import { describe, expect, test } from 'vitest';
import type { TouchpointEvent } from '../../schemas/types.ts';
import { DAY, HOUR, T, TouchpointDriver } from './touchpoint-fixture.ts';

const command = (kind: TouchpointEvent['kind'], number = 1): Partial<TouchpointEvent> => {
  return { kind, caseId: `checkout|u:1|${number}`, issuedBy: 'mika', channel: 'UNKNOWN' };
};
const ERASE = command('ERASE');
const RESOLVE = command('CASE_RESOLVE');

const open = (): TouchpointDriver => new TouchpointDriver('u:1').record(T, { value: 3 });
const tombstones = (driver: TouchpointDriver): string[] =>
  driver.outputs.filter(({ value }) => value === null).map(({ topic, key }) => `${topic} ${key}`);

describe('the case of a customer who is erased', () => {
  test.each<[string, (driver: TouchpointDriver) => TouchpointDriver, Record<string, number>]>([
    ['open', (driver) => driver, {}],
    ['overdue', (driver) => driver.silence(T + 4 * DAY), {}],
    [
      'resolved too late',
      (driver) => driver.silence(T + 4 * DAY).record(T + 4 * DAY, RESOLVE),
      { case_resolutions: 1, case_resolve_seconds: 4 * 86_400 },
    ],
    [
      'verified',
      (driver) => driver.record(T + HOUR, RESOLVE).record(T + 2 * HOUR, { value: 9 }),
      { 'cases VERIFIED': 1, case_resolutions: 1, case_resolve_seconds: 3600 },
    ],
  ])('%s ends: what counts over cases stays', (_, work, gauges) => {
    const driver = work(open())
      .record(T + 5 * DAY, ERASE)
      .silence(T + 400 * DAY);
    expect(driver.outcomes.at(-1)).toBe('apply');
    expect(driver.gauges).toEqual(gauges);
    expect(tombstones(driver)).toEqual(['cases.v1 acme|checkout|u:1|1']);
    expect(driver.outputs.at(-1)?.value).toBeNull();
    expect(driver.summary).toMatchObject({ caseId: null, state: null });
    expect(driver.packed().length).toBeLessThan(60);
    expect(driver.processor.isBlank?.(driver.state)).toBe(false);
  });

  test('takes those along that were over before', () => {
    const driver = open();
    driver
      .record(T + HOUR, RESOLVE)
      .record(T + 2 * HOUR, { value: 9 })
      .record(T + 3 * HOUR, { value: 1 });
    driver.record(T + 4 * HOUR, ERASE);
    expect(tombstones(driver)).toEqual(['cases.v1 acme|checkout|u:1|1', 'cases.v1 acme|checkout|u:1|2']);
    expect(driver.gauges).toMatchObject({ 'cases VERIFIED': 1 });
    expect(driver.gauges).not.toHaveProperty('cases OPEN');
  });

  test('is opened by nothing from before, late or twice, whether there was one or not', () => {
    for (const driver of [open(), new TouchpointDriver('u:1')]) {
      driver.record(T + HOUR, ERASE);
      const { length } = driver.outputs;
      driver.record(T + 2 * HOUR, { value: 3, occurredAt: T, eventId: 'event-1' });
      driver.record(T + 2 * HOUR, { value: 3, occurredAt: T + HOUR });
      driver.record(T + 3 * HOUR, { ...RESOLVE, occurredAt: T });
      driver.record(T + 4 * HOUR, { ...ERASE, occurredAt: T + HOUR });
      expect(driver.outcomes.slice(-4)).toEqual(['erased', 'erased', 'erased', 'apply']);
      expect(driver.outputs).toHaveLength(length);
    }
  });

  test('is opened anew by what happens afterwards, which an order that comes again leaves alone', () => {
    const driver = open()
      .record(T + HOUR, ERASE)
      .record(T + 2 * HOUR, { value: 2 });
    driver.record(T + 3 * HOUR, { ...ERASE, occurredAt: T + HOUR });
    expect(driver.cases.at(-1)).toMatchObject({ change: 'OPENED', caseId: 'checkout|u:1|1', occurredAt: T + 2 * HOUR });
    expect(driver.gauges).toEqual({ 'cases OPEN': 1 });
    driver.record(T + 4 * HOUR, ERASE);
    expect(driver.gauges).toEqual({});
  });
});
