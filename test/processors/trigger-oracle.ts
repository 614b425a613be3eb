import type { TriggerSettings } from '../../processors/core/definitions.ts';
import { DAY, HOUR } from './customer-fixture.ts';

/** An event on the hour. */
export interface Happening {
  readonly at: number;
  /** When it is known. */
  readonly comes: number;
  readonly type: 'PAGE_VIEW' | 'PRODUCT_VIEW' | 'CART_ADD' | 'ORDER_PLACED' | 'ORDER_CANCELLED';
  readonly orderId: string;
}

/** `at cause trigger change cause's time or number`. */
export type ToldLine = string;

interface Cause {
  readonly trigger: string;
  readonly at: number;
  readonly dueAt: number;
}

/**
 * Goes through the time hour by hour and looks at everything that is known by then, each time anew: what the processor says in
 * few numbers, said in many. `from` and every event lie on the hour.
 */
export function tellHourByHour(
  happenings: readonly Happening[],
  settings: TriggerSettings,
  from: number,
  until: number,
): ToldLine[] {
  const lines: ToldLine[] = [];
  const known: Happening[] = [];
  const told = new Map<string, number[]>();
  const standing = new Set<string>();
  let count = 0;

  function look(now: number, cause: string): void {
    for (const key of [...standing]) {
      const [trigger = '', at = ''] = key.split(' ');
      if (!isMoot(trigger, Number(at), known)) continue;
      standing.delete(key);
      lines.push(`${now} ${cause} ${trigger} CANCELLED ${at}`);
    }
    for (const { trigger, at, dueAt } of causes(known, settings)) {
      const earlier = told.get(trigger) ?? [];
      const isTold = trigger === 'post_purchase' ? earlier.includes(at) : earlier.some((each) => each >= at);
      if (isTold || dueAt > now || now - dueAt > settings.lateHours * HOUR) continue;
      told.set(trigger, [...earlier, at]);
      // Only the newest of a kind can still be taken back, orders aside.
      if (trigger !== 'post_purchase')
        for (const key of [...standing]) if (key.startsWith(`${trigger} `)) standing.delete(key);
      standing.add(`${trigger} ${at}`);
      lines.push(`${cause === 'TIME' ? dueAt : now} ${cause} ${trigger} FIRED ${at}`);
    }
    const numbers = settings.milestone?.['orders'] ?? [];
    const orders = ordersOf(known).length;
    for (const number of numbers) {
      if (number > count && number <= orders) lines.push(`${now} ${cause} milestone FIRED ${number}`);
      if (number <= count && number > orders) lines.push(`${now} ${cause} milestone CANCELLED ${number}`);
    }
    count = orders;
  }

  for (let hour = from; hour <= until; hour += HOUR) {
    look(hour, 'TIME');
    for (const happening of happenings) {
      if (happening.comes !== hour) continue;
      known.push(happening);
      look(hour, 'EVENT');
    }
  }
  return lines;
}

function causes(known: readonly Happening[], settings: TriggerSettings): Cause[] {
  const found: Cause[] = [];
  const times = (type: Happening['type']) => known.filter((each) => each.type === type).map(({ at }) => at);
  const orders = ordersOf(known);
  const carts = times('CART_ADD');
  const placed = times('ORDER_PLACED');
  const cart = Math.max(...carts);
  if (settings.cart_abandoned !== null && carts.length > 0 && !placed.some((at) => at >= cart))
    found.push({ trigger: 'cart_abandoned', at: cart, dueAt: cart + settings.cart_abandoned.afterMinutes * 60_000 });

  const views = times('PRODUCT_VIEW');
  const view = Math.max(...views);
  const { browse_abandoned: browse } = settings;
  if (browse !== null && views.filter((at) => at >= view - DAY).length >= browse.views) {
    if (![...carts, ...placed].some((at) => at >= view - DAY))
      found.push({ trigger: 'browse_abandoned', at: view, dueAt: view + browse.afterMinutes * 60_000 });
  }
  const { onboarding_stalled: onboarding } = settings;
  if (onboarding !== null && known.length > 0 && placed.length === 0) {
    const at = Math.min(...known.map((each) => each.at));
    found.push({ trigger: 'onboarding_stalled', at, dueAt: at + onboarding.afterDays * DAY });
  }
  const last = Math.max(...orders);
  const days = new Set(orders.map((at) => Math.floor(at / DAY))).size;
  const { replenishment_due: replenishment } = settings;
  if (replenishment !== null && days >= replenishment.orderDays) {
    const gap = Math.ceil((replenishment.factor * (last - Math.min(...orders))) / (days - 1));
    const dueAt = last + Math.max(replenishment.minDays * DAY, gap);
    found.push({ trigger: 'replenishment_due', at: last, dueAt });
  }
  if (settings.win_back !== null && orders.length > 0)
    found.push({ trigger: 'win_back', at: last, dueAt: last + settings.win_back.afterDays * DAY });
  if (settings.post_purchase !== null)
    for (const at of orders)
      found.push({ trigger: 'post_purchase', at, dueAt: at + settings.post_purchase.afterDays * DAY });
  return found;
}

function isMoot(trigger: string, at: number, known: readonly Happening[]): boolean {
  const orders = ordersOf(known);
  const isAfter = (...types: Happening['type'][]) => known.some((each) => types.includes(each.type) && each.at >= at);
  switch (trigger) {
    case 'cart_abandoned':
      return isAfter('ORDER_PLACED');
    case 'browse_abandoned':
      return isAfter('ORDER_PLACED', 'CART_ADD');
    case 'onboarding_stalled':
      return known.some(({ type }) => type === 'ORDER_PLACED');
    case 'post_purchase':
      return !orders.includes(at);
    default:
      return Math.max(...orders) !== at;
  }
}

/** When the orders that were not cancelled were placed. */
function ordersOf(known: readonly Happening[]): number[] {
  const cancelled = new Set(known.flatMap(({ type, orderId }) => (type === 'ORDER_CANCELLED' ? [orderId] : [])));
  return known.flatMap(({ type, orderId, at }) => (type === 'ORDER_PLACED' && !cancelled.has(orderId) ? [at] : []));
}
