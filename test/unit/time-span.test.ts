import { expect, test } from 'vitest';
import { formatTimeSpan, parseTimeSpan } from '../../processors/core/time-span.ts';

test('a time span is read and written in the unit that suits it', () => {
  for (const text of ['7d', '12h', '30s', '1m']) {
    expect(parseTimeSpan(formatTimeSpan(parseTimeSpan(text) ?? -1))).toBe(parseTimeSpan(text));
  }
  expect([500, 1_000, 5_400_000, 129_600_000].map(formatTimeSpan)).toEqual(['500 ms', '1s', '1.5h', '1.5d']);
});

test('anything else is none', () => {
  expect(['', '7', 'd', '07d', '1.5h', '7D', ' 7d', '7d ', '10000000s'].map(parseTimeSpan)).toEqual(
    Array(9).fill(null),
  );
});
