import { expect, test } from 'vitest';
import { ByteReader } from '../../processors/core/packing.ts';
import { CustomerDriver, DAY, definitions, MIDNIGHT } from './customer-fixture.ts';

const NOW = MIDNIGHT + 5 * DAY + 2;

/** A customer of five days as version 2 packed it: eleven page views, an order of 500 that was refunded with 700. */
const VERSION_2 =
  'AghhY21lfHU6MYKo1tTfM8cDstY+dzbO5j8FBGJ1c3n4ra+dCLypB6DszaAJAu0BwwMfABqCqNbU3zMGAAYOwQHxBwHxBwHxBwHxBwEGAyACAiSAp8fn3zMWgqjW1N8zAgACDsEB8QcB8QcB8QcB8QcBAgMgAgITgIjTjOYzAoCo1tTfMwIAAgACABIAjwOBqNbU3zOPAwCPAwCPAwAOAAKBqNbU3zMCAAIAAgA3gqjW1N8zlVxdLYmWAwEG02n+kPYCAbnNGnXVFgqAuagWt5zp9xjECfnc2wH0e4nf6cMJh9u9JyYBgKjW1N8zAIKo1tTfMwGJ8zDF/PYPgKjW1N8zRPQDArwFAAAAAAEEcGxhbgRnb2xkgNWQlt4zFyiA2MfQ/DMPC4DYx9D8MwEGAuOgAQIA';

test('a state of version 2 goes on as if this program had packed it', () => {
  const driver = new CustomerDriver(
    definitions({ lapsing: { 'ages.orders': { $gte: 20 } }, busy: { 'traits.page_views.24h': { $gte: 2 } } }),
  );
  const { state } = driver.processor;
  const bytes = Buffer.from(VERSION_2, 'base64');
  driver.state = state.unpack(new ByteReader(bytes));
  expect(state.summarize(new ByteReader(bytes))).toEqual(state.summarize(new ByteReader(driver.packed())));
  expect(driver.packed().length).toBeLessThan(bytes.length);
  expect(driver.view(NOW)).toMatchObject({
    traits: { page_views: { '1h': 1, '24h': 3, '7d': 11, '365d': 11, lifetime: 11 }, revenue: { '30d': -200 } },
    ages: { interactions: 0, page_views: 0, orders: 0, revenue: 0, refunds: 0 },
    attributes: { plan: 'gold' },
    segments: ['busy'],
  });
  driver.silence(MIDNIGHT + 60 * DAY);
  // When version 2 itself woke up.
  expect(driver.wakeups.slice(-4).map((at) => at - MIDNIGHT)).toEqual([1674151698, 2160000000, 2246400000, 3518346881]);
  expect(driver.memberships.map(({ at, changes }) => [at, changes])).toEqual([
    [1778068800000, ['-busy']],
    [1779753600000, ['+lapsing']],
  ]);
});
