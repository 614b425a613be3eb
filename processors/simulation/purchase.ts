import type { Order } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import { planFeedback } from './feedback.ts';
import { collectPoints, spendPoints, subscribeToBox } from './loyalty.ts';
import { sendMessage } from './message.ts';
import type { Customer } from './population.ts';
import { orderItem, pickProduct } from './products.ts';
import { drawNextPurchase } from './purchase-process.ts';
import { atAGoodTime, DAY_MS, HOUR_MS, MINUTE_MS } from './rhythm.ts';
import type { Act, Stage } from './stage.ts';
import { hasBanner, identify, look, startVisit, step } from './visit.ts';

const CURRENCY = 'JPY';
const STORES = ['store/kichijoji', 'store/umeda', 'store/tenjin'];

/** Buys, and plans the next purchase, unless this was the last one for good. */
export const buyAndComeAgain: Act = (stage, customer, at) => {
  const { random, habit } = customer;
  buy(stage, customer, at);
  const next = drawNextPurchase(habit, at, random);
  if (next < Number.POSITIVE_INFINITY) {
    stage.plan(atAGoodTime(next, at + HOUR_MS, random), customer, buyAndComeAgain);
  } else if (random.chance(0.75)) {
    // Most of those who are done with buying are soon done with looking and reading too.
    customer.goneAt = at + random.exponential(25 * DAY_MS);
  }
};

/** One purchase with all that follows from it. */
export const buy: Act = (stage, customer, at) => {
  const { random } = customer;
  const inStore = customer.member && random.chance(0.12);
  const order = fillOrder(customer);
  const boughtAt = inStore ? buyInStore(stage, customer, at, order) : buyOnline(stage, customer, at, order);
  customer.orders++;
  sendMessage(stage, customer, boughtAt + MINUTE_MS, 'order-confirmation');
  collectPoints(stage, customer, boughtAt + MINUTE_MS, order.amountMinor);
  if (customer.orders >= 2 && random.chance(0.05)) subscribeToBox(stage, customer, boughtAt + 5 * MINUTE_MS);
  if (random.chance(0.03)) planCancellation(stage, customer, boughtAt, order);
  else if (random.chance(0.04)) planRefund(stage, customer, boughtAt, order);
  planFeedback(stage, customer, boughtAt, order);
};

function fillOrder(customer: Customer): Order {
  const { random } = customer;
  const items = [];
  let amountMinor = 0;
  const lines = 1 + Math.min(7, Math.floor(random.exponential(1.2)));
  for (let line = 0; line < lines; line++) {
    const product = pickProduct(random, customer.favourite);
    const quantity = random.chance(0.8) ? 1 : 2 + random.below(3);
    const item = orderItem(product, line === 0 ? quantity + addedFor(customer) : quantity);
    items.push(item);
    amountMinor += item.quantity * item.priceMinor;
  }
  const orderId = `o-${customer.index.toString(36)}-${customer.orders + 1}`;
  return { orderId, amountMinor, currency: CURRENCY, guest: false, items };
}

/**
 * Who has seen how little is missing for free delivery takes one more with every other order: the effect that the experiment looks for. It
 * draws no random number, so that whatever else people do is the same with the banner and without.
 */
function addedFor(customer: Customer): 0 | 1 {
  const isEveryOther = (Math.floor(customer.index / 2) + customer.orders) % 2 === 0;
  return customer.exposed && hasBanner(customer) && isEveryOther ? 1 : 0;
}

function buyOnline(stage: Stage, customer: Customer, at: Instant, order: Order): Instant {
  const { random } = customer;
  const visit = startVisit(stage, customer, at);
  for (const { productId, category, priceMinor } of order.items) {
    const product = { productId, category, priceMinor };
    const touchpoint = `product/${productId}`;
    step(visit, 'PRODUCT_VIEW', { touchpoint, product });
    step(visit, 'CART_ADD', { touchpoint, product });
  }
  look(visit, 'cart');
  // A few of the new customers check out as guests; the others have an account by now.
  if (!customer.known) {
    if (customer.orders === 0 && random.chance(0.12)) order.guest = true;
    else identify(visit);
  }
  step(visit, 'CHECKOUT_STARTED', { touchpoint: 'checkout' });
  if (customer.known) spendPoints(stage, customer, visit.at);
  const boughtAt = visit.at;
  step(visit, 'ORDER_PLACED', { touchpoint: 'checkout', order });
  return boughtAt;
}

function buyInStore(stage: Stage, customer: Customer, at: Instant, order: Order): Instant {
  stage.tell(customer, at, 'STORE', 'ORDER_PLACED', { touchpoint: customer.random.pick(STORES), order });
  return at;
}

function planCancellation(stage: Stage, customer: Customer, boughtAt: Instant, order: Order): void {
  stage.plan(boughtAt + customer.random.between(0.2, 20) * HOUR_MS, customer, (_, __, at) => {
    stage.tell(customer, at, customer.device, 'ORDER_CANCELLED', { touchpoint: 'account/orders', order });
  });
}

function planRefund(stage: Stage, customer: Customer, boughtAt: Instant, order: Order): void {
  stage.plan(boughtAt + customer.random.between(3, 14) * DAY_MS, customer, (_, __, at) => {
    const first = order.items[0];
    const whole = first === undefined || customer.random.chance(0.4);
    const amountMinor = whole ? order.amountMinor : first.priceMinor;
    const refund = { ...order, amountMinor, items: whole ? order.items : [first] };
    stage.tell(customer, at, 'CALL_CENTER', 'ORDER_REFUNDED', { touchpoint: 'returns', order: refund });
  });
}
