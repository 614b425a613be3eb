import { DAY_MS, utcDay } from '../core/event-time.ts';
import type { Instant } from '../core/processor.ts';
import type { OrderBook } from './order-book.ts';

/**
 * When a customer ordered, ascending, cancelled orders left out: distinct days, first and last are those of `factsOf`. Of
 * orders that are no longer remembered only the day is known, given as its 00:00 UTC, but for the first and the last; days
 * known by their number alone are spread evenly.
 */
export function orderTimes(book: OrderBook): Instant[] {
  const remembered = book.orders.filter(({ cancelled }) => !cancelled).map(({ at }) => at);
  return [...settledTimes(book), ...remembered].sort((a, b) => a - b);
}

function settledTimes({ settled }: OrderBook): Instant[] {
  const { days, olderDays, firstAt, lastAt } = settled;
  if (firstAt < 0) return [];
  const [firstDay, lastDay] = [utcDay(firstAt), utcDay(lastAt)];
  const known = days[0] ?? lastDay;
  const spread = Array.from(
    { length: olderDays },
    (_, place) => firstDay + Math.floor((place * (known - firstDay)) / olderDays),
  );
  const between = [...spread, ...days].filter((day) => day !== firstDay && day !== lastDay);
  return [firstAt, ...between.map((day) => day * DAY_MS), lastAt];
}
