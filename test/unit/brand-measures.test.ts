import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { figureOf, MEASURES, newAmounts, type Amounts } from '../../processors/brand/measures.ts';
import type { BrandRules } from '../../processors/brand/rules.ts';
import { BRAND_AMOUNTS, type BrandAmount } from '../../processors/core/brand-amounts.ts';

const RULES: BrandRules = {
  currency: 'USD',
  lostAfterDays: 90,
  socialReach: null,
  definitionsVersion: 'v',
  version: 1,
};

function amounts(given: Partial<Record<BrandAmount, number>>): Amounts {
  const all = newAmounts();
  for (const [name, value] of Object.entries(given)) all[BRAND_AMOUNTS.indexOf(name as BrandAmount)] = value;
  return all;
}

function figure(name: string, given: Partial<Record<BrandAmount, number>>, rules: BrandRules = RULES) {
  const measure = MEASURES.find((each) => each.name === name);
  if (measure === undefined) throw new Error(`no measure ${name}`);
  return figureOf(measure, amounts(given), rules);
}

describe('measures of a brand', () => {
  test('that divide by nothing are null, and never 0', () => {
    for (const measure of MEASURES) {
      const { denominator, value, low, high } = figureOf(measure, newAmounts(), RULES);
      if (denominator === null) expect(value).toBe(0);
      else expect({ denominator, value, low, high }).toEqual({ denominator: 0, value: null, low: null, high: null });
    }
  });

  // Rocks 2016, 95 percent, 70 promoters, 20 passives and 10 detractors.
  test('the net promoter score has the adjusted Wald interval', () => {
    const { numerator, denominator, value, low, high } = figure('nps', {
      npsAnswers: 100,
      npsSatisfied: 70,
      npsDissatisfied: 10,
    });
    expect({ numerator, denominator, value }).toEqual({ numerator: 60, denominator: 100, value: 60 });
    expect(low).toBeCloseTo(45.27, 2);
    expect(high).toBeCloseTo(71.24, 2);
  });

  test('have names of their own', () => {
    expect(new Set(MEASURES.map(({ name }) => name)).size).toBe(MEASURES.length);
  });

  // Noble, on Shopify's retention: 10,000 customers in July of whom 5 % are lost, and 5,000 new ones, of whom 125 are lost.
  // Over the customers of the start that is 6.25 %, and in August 5.87 %, although nobody behaves otherwise.
  test('churn counts only customers of the start, so that growth does not change it', () => {
    const july = { customersAtStart: 10_000, lostOfStart: 500, lost: 625, customers: 14_375 };
    const august = { customersAtStart: 14_375, lostOfStart: 719, lost: 844, customers: 18_531 };
    expect(figure('churn_rate_plain', july).value).toBe(0.0625);
    expect(figure('churn_rate_plain', august).value).toBeCloseTo(0.0587, 4);
    expect(figure('churn_rate', july).value).toBe(0.05);
    expect(figure('churn_rate', august).value).toBeCloseTo(0.05, 4);
  });

  test('retention is over the start, in percent; the plain one may exceed 100', () => {
    const given = { customersAtStart: 200, lostOfStart: 50, customers: 250 };
    expect(figure('retention_rate', given)).toMatchObject({ numerator: 150, denominator: 200, value: 75 });
    expect(figure('retention_rate_plain', given)).toMatchObject({ numerator: 250, value: 125, low: null, high: null });
  });

  // Wilson's interval as Newcombe (1998) prints it: 81 of 263, 15 of 148.
  test('shares have an interval', () => {
    const { low, high } = figure('guest_checkout_rate', { guestOrders: 81, orders: 263 });
    expect([low, high].map((each) => each?.toFixed(4))).toEqual(['0.2553', '0.3662']);
    const repeat = figure('repeat_purchase_rate', { repeatPurchasers: 15, purchasers: 148 });
    expect([repeat.low, repeat.high].map((each) => each?.toFixed(4))).toEqual(['0.0624', '0.1605']);
  });

  test('at the ends of the scale stay on it', () => {
    expect(figure('repeat_purchase_rate', { repeatPurchasers: 0, purchasers: 10 })).toMatchObject({ value: 0, low: 0 });
    const all = figure('repeat_purchase_rate', { repeatPurchasers: 10, purchasers: 10 });
    expect(all).toMatchObject({ value: 1 });
    expect(all.high).toBeCloseTo(1, 12);
    expect(all.low?.toFixed(4)).toBe('0.7225');
    // More clicks than opens: pictures were blocked. A number, but no share.
    expect(figure('click_to_open_rate', { clicks: 3, opens: 2 })).toMatchObject({ value: 1.5, low: null });
  });

  test('social engagement says what it is over', () => {
    const given = { socialActions: 50, active: 20 };
    const measure = MEASURES.find(({ name }) => name === 'social_engagement_rate');
    expect(figure('social_engagement_rate', given)).toMatchObject({ denominator: 20, value: 2.5 });
    expect(measure?.of?.(RULES, 'brand')).toBe('active_customers');
    const reaching = { ...RULES, socialReach: 1000 };
    expect(figure('social_engagement_rate', given, reaching)).toMatchObject({ denominator: 1000, value: 0.05 });
    expect(measure?.of?.(reaching, 'brand')).toBe('social_reach');
  });

  test('opens and clicks by machines alone are left out where only people count', () => {
    const opens = { opens: 30, repeatOpens: 5, machineOpens: 35, clicks: 7, repeatClicks: 2, machineClicks: 3 };
    const given = { messagesDelivered: 100, ...opens };
    expect(figure('open_rate', given).value).toBe(0.6);
    expect(figure('open_rate_human', given)).toMatchObject({ numerator: 25, value: 0.25 });
    expect(figure('click_to_open_rate_human', given)).toMatchObject({ numerator: 5, denominator: 25, value: 0.2 });
  });

  test('the average order is over orders in the currency of the brand', () => {
    const given = { orders: 5, otherCurrencyOrders: 1, revenueMinor: 4000, purchasers: 2 };
    expect(figure('average_order_value', given)).toMatchObject({ denominator: 4, value: 1000 });
  });

  test('order value × frequency = revenue per customer; churn and retention are one', () => {
    const count = fc.integer({ min: 1, max: 1e9 });
    fc.assert(
      fc.property(
        count,
        count,
        fc.integer({ min: -1e12, max: 1e12 }),
        count,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (orders, purchasers, revenueMinor, start, share) => {
          const given = { orders, purchasers, revenueMinor };
          const product =
            (figure('average_order_value', given).value ?? 0) * (figure('purchase_frequency', given).value ?? 0);
          const whole = figure('revenue_per_customer', given).value ?? 0;
          expect(Math.abs(product - whole)).toBeLessThanOrEqual(1e-12 * Math.abs(whole));
          const lost = { customersAtStart: start, lostOfStart: Math.floor(share * start) };
          const sum = (figure('churn_rate', lost).value ?? 0) + (figure('retention_rate', lost).value ?? 0) / 100;
          expect(sum).toBeCloseTo(1, 12);
        },
      ),
    );
  });
});
