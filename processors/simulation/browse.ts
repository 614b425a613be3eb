import { CATEGORIES, pickProduct } from './products.ts';
import { atAGoodTime, HOUR_MS, WEEK_MS } from './rhythm.ts';
import type { Act } from './stage.ts';
import { identify, look, startVisit, step } from './visit.ts';
import type { Visit } from './visit.ts';

/** Looking around without buying. */
export const browse: Act = (stage, customer, at) => {
  const { random } = customer;
  const visit = startVisit(stage, customer, at);
  if (!customer.known && customer.userId !== null && random.chance(0.25)) identify(visit);
  const pages = 1 + Math.min(30, Math.floor(random.exponential(customer.pagesPerVisit)));
  let inCart = false;
  for (let page = 0; page < pages; page++) {
    const choice = random.next();
    if (choice < 0.22) look(visit, `category/${random.pick(CATEGORIES)}`);
    else if (choice < 0.31) step(visit, 'SEARCH', { touchpoint: 'search' });
    else inCart = considerProduct(visit, inCart);
  }
  if (inCart && random.chance(0.22)) step(visit, 'CHECKOUT_STARTED', { touchpoint: 'checkout' });
};

function considerProduct(visit: Visit, inCart: boolean): boolean {
  const { random, favourite, persona } = visit.customer;
  const product = pickProduct(random, favourite);
  const touchpoint = `product/${product.productId}`;
  step(visit, 'PRODUCT_VIEW', { touchpoint, product });
  const choice = random.next();
  if (choice < (persona === 'buyer' ? 0.07 : 0.03)) {
    step(visit, 'CART_ADD', { touchpoint, product });
    return true;
  }
  if (inCart && choice > 0.92) {
    step(visit, 'CART_REMOVE', { touchpoint: 'cart', product });
    return false;
  }
  return inCart;
}

/** Visits now and the next time, as long as the customer is there. */
export const visitAgain: Act = (stage, customer, at) => {
  if (at > customer.goneAt) return;
  browse(stage, customer, at);
  const next = at + customer.random.exponential(WEEK_MS / customer.visitsPerWeek);
  if (next < customer.goneAt) stage.plan(atAGoodTime(next, at + 3 * HOUR_MS, customer.random), customer, visitAgain);
};
