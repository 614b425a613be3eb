import { describe, expect, test } from 'vitest';
import { MembershipDiff, type CustomerCount } from '../../processors/cli/membership-diff.ts';

const exactly = (customers: number): CustomerCount => ({ customers, low: customers, high: customers });

describe('who would enter and leave', () => {
  test('is counted by brand and segment, with the first ids of each', () => {
    const diff = new MembershipDiff(1, () => true);
    diff.add('acme', 'u:1', ['old', 'both'], ['both', 'new']);
    diff.add('acme', 'u:2', ['old'], ['new']);
    diff.add('other', 'u:1', ['both'], ['both']);
    diff.know('other', 'empty');
    expect(diff.customers).toBe(3);
    const nobody = { enter: exactly(0), leave: exactly(0), stay: exactly(0), entering: [], leaving: [] };
    expect(diff.segments(null)).toEqual([
      { ...nobody, brand: 'acme', segment: 'both', stay: exactly(1) },
      { ...nobody, brand: 'acme', segment: 'new', enter: exactly(2), entering: ['u:1'] },
      { ...nobody, brand: 'acme', segment: 'old', leave: exactly(2), leaving: ['u:1'] },
      { ...nobody, brand: 'other', segment: 'both', stay: exactly(1) },
      { ...nobody, brand: 'other', segment: 'empty' },
    ]);
  });

  test('tells nothing of segments that nobody asked for', () => {
    const diff = new MembershipDiff(5, (segment) => segment === 'vip');
    diff.add('acme', 'u:1', ['old'], ['vip', 'new']);
    expect(diff.segments(null).map(({ segment }) => segment)).toEqual(['vip']);
  });

  test('of a sample is an estimate with the score interval, and never fewer than were seen', () => {
    const diff = new MembershipDiff(0, () => true);
    for (let index = 0; index < 1_000; index++) diff.add('acme', `u:${index}`, [], index < 100 ? ['vip'] : []);
    // Wilson's interval of 100 in 1,000 is 8.29 to 12.02 percent.
    const [vip] = diff.segments({ read: 1_000, stored: 50_000 });
    expect(vip?.enter).toEqual({ customers: 5_000, low: 4145, high: 6008 });
    expect(vip?.leave).toMatchObject({ customers: 0, low: 0 });
    const [rare] = diff.segments({ read: 1_000, stored: 1_000 });
    expect(rare?.enter.low).toBe(100);
  });

  test('of a sample of nobody is nothing', () => {
    expect(new MembershipDiff(5, () => true).segments({ read: 0, stored: 10 })).toEqual([]);
  });
});
