import type { Interaction, Order } from '../../schemas/types.ts';
import type { Rejected } from '../core/processor.ts';
import { refusal } from './refusal.ts';

const MOST_ITEMS = 200;
/**
 * Ten billion of a currency with cents. Sums of a customer's lifetime are whole numbers below 2^52; without a bound, a few
 * hostile amounts would reach it.
 */
const MOST_MINOR = 1_000_000_000_000;
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

const MISSING_ORDER = refusal('missing_order', 'order: needed by this type');
const NO_ORDER_ID = refusal('invalid_order', 'order.orderId: empty');
const NEGATIVE_AMOUNT = refusal('invalid_order', 'order.amountMinor: below 0');
const LARGE_AMOUNT = refusal('invalid_order', `order.amountMinor: above ${MOST_MINOR}`);
const UNKNOWN_CURRENCY = refusal('invalid_order', 'order.currency: not an ISO 4217 code');
const TOO_MANY_ITEMS = refusal('invalid_order', `order.items: more than ${MOST_ITEMS}`);
const NEGATIVE_QUANTITY = refusal('invalid_order', 'order.items.quantity: below 0');
const NEGATIVE_PRICE = refusal('invalid_order', 'order.items.priceMinor: below 0');

/**
 * What speaks against the order: `missing_order` where the type needs one, `invalid_order`. An order on any other type is
 * held to the same limits, since whatever stands in a record travels on. The lengths of its strings are a matter of
 * validate-fields.ts.
 */
export function refuseOrder(interaction: Interaction): Rejected | null {
  const { order } = interaction;
  if (order !== null) return refuseContents(order);
  switch (interaction.type) {
    case 'ORDER_PLACED':
    case 'ORDER_CANCELLED':
    case 'ORDER_REFUNDED':
      return MISSING_ORDER;
    default:
      return null;
  }
}

function refuseContents(order: Order): Rejected | null {
  if (order.orderId.length === 0) return NO_ORDER_ID;
  if (order.amountMinor < 0) return NEGATIVE_AMOUNT;
  if (order.amountMinor > MOST_MINOR) return LARGE_AMOUNT;
  if (!CURRENCIES.has(order.currency)) return UNKNOWN_CURRENCY;
  if (order.items.length > MOST_ITEMS) return TOO_MANY_ITEMS;
  for (const item of order.items) {
    if (item.quantity < 0) return NEGATIVE_QUANTITY;
    if (item.priceMinor < 0) return NEGATIVE_PRICE;
  }
  return null;
}
