import type { ByteReader, ByteWriter } from '../core/packing.ts';
import type { GaugeSample } from '../core/processor.ts';

/**
 * What the churn model said at orders, and what came of it: by the week of the order, how many orders, the sum of their
 * risks, and how many were not followed by another one within the horizon. A week is told once the horizon of its last order
 * has passed.
 */
export interface OutcomeTotals {
  horizonDays: number;
  /** The week in which it was first asked. Orders up to then had no risk, so nothing is noted of them. */
  sinceWeek: number;
  /** The newest week with an order, counted from 1970. */
  newestWeek: number;
  readonly weeks: Map<number, WeekOutcome>;
}

interface WeekOutcome {
  orders: number;
  predictedLost: number;
  /** Not followed by an order so far. */
  lost: number;
}

export interface OutcomeAddition extends Readonly<WeekOutcome> {
  readonly brandId: string;
  readonly of: 'outcome';
  readonly week: number;
  readonly horizonDays: number;
}

/** How many of the newest weeks whose horizon has passed are told. */
const WEEKS_TOLD = 4;

export function newOutcomes(): OutcomeTotals {
  return { horizonDays: 0, sinceWeek: 0, newestWeek: 0, weeks: new Map() };
}

/** Adds in place. Weeks before those told are forgotten, so that at most the horizon and five more are kept. */
export function addOutcome(totals: OutcomeTotals, addition: OutcomeAddition): void {
  const { week, horizonDays, orders, predictedLost, lost } = addition;
  if (totals.horizonDays !== horizonDays) {
    // Another horizon asks another question.
    totals.weeks.clear();
    totals.horizonDays = horizonDays;
    totals.sinceWeek = week;
  }
  totals.newestWeek = Math.max(totals.newestWeek, week);
  const oldest = Math.max(totals.sinceWeek + 1, newestTold(totals) - WEEKS_TOLD + 1);
  for (const each of totals.weeks.keys()) if (each < oldest) totals.weeks.delete(each);
  if (week < oldest) return;
  const known = totals.weeks.get(week) ?? { orders: 0, predictedLost: 0, lost: 0 };
  known.orders += orders;
  known.predictedLost += predictedLost;
  known.lost += lost;
  totals.weeks.set(week, known);
}

export function* outcomeGauges(brand: string, totals: OutcomeTotals): Iterable<GaugeSample> {
  const told = [...totals.weeks].filter(([week]) => week <= newestTold(totals)).map(([, outcome]) => outcome);
  if (told.length === 0) return;
  const sum = (of: keyof WeekOutcome): number => told.reduce((total, each) => total + each[of], 0);
  yield { name: 'churn_matured_orders', labels: { brand }, value: sum('orders') };
  yield { name: 'churn_predicted_lost', labels: { brand }, value: sum('predictedLost') };
  yield { name: 'churn_observed_lost', labels: { brand }, value: sum('lost') };
}

export function packOutcomes({ horizonDays, sinceWeek, newestWeek, weeks }: OutcomeTotals, writer: ByteWriter): void {
  writer.uint(horizonDays);
  writer.uint(sinceWeek);
  writer.uint(newestWeek);
  writer.uint(weeks.size);
  for (const [week, { orders, predictedLost, lost }] of weeks) {
    writer.uint(week);
    writer.int(orders);
    writer.double(predictedLost);
    writer.int(lost);
  }
}

export function unpackOutcomes(reader: ByteReader): OutcomeTotals {
  const asked = { horizonDays: reader.uint(), sinceWeek: reader.uint(), newestWeek: reader.uint() };
  const totals = { ...asked, weeks: new Map<number, WeekOutcome>() };
  for (let left = reader.uint(); left > 0; left--) {
    totals.weeks.set(reader.uint(), { orders: reader.int(), predictedLost: reader.double(), lost: reader.int() });
  }
  return totals;
}

/** The newest week whose every order is a horizon away from the newest week's beginning. */
function newestTold({ newestWeek, horizonDays }: OutcomeTotals): number {
  return newestWeek - Math.ceil(horizonDays / 7) - 1;
}
