import type { Instant } from '../core/processor.ts';
import { unroll, Unrolled } from '../core/unroll.ts';
import { firstSlot } from '../core/window.ts';
import { placeOf } from './measures.ts';
import type { OpenState } from './open-state.ts';
import type { OrderFacts } from './order-book.ts';
import type { Triggers } from './triggers.ts';
import { SPANS } from './windows.ts';

const PRODUCT_VIEWS = placeOf('product_views');
const CART_ADDS = placeOf('cart_adds');
const CHECKOUTS = placeOf('checkouts');

const viewTiles = new Unrolled();

/**
 * What triggers are decided by, of the customer at hand: asked only for what a rule needs, since each answer unpacks
 * something. One serves every customer in turn.
 */
export class TriggerFacts {
  #open: OpenState | null = null;
  #startedAt: Instant = -1;

  of(open: OpenState, triggers: Triggers): this {
    this.#open = open;
    this.#startedAt = triggers.startedAt;
    return this;
  }

  /** The first interaction of a person; −1: none. */
  get startedAt(): Instant {
    return this.#startedAt;
  }

  get orders(): OrderFacts {
    return this.#opened.facts;
  }

  /** The last order that was placed, even if it is cancelled by now: whoever cancels an order left no cart behind. */
  get placedAt(): Instant {
    const open = this.#opened;
    if (!open.hasOrders) return -1;
    const { orders, settled } = open.book;
    return Math.max(orders.at(-1)?.at ?? -1, settled.lastAt);
  }

  /** When something was last put into the cart, or a checkout begun. */
  get cartAt(): Instant {
    return Math.max(this.#opened.lastAt(CART_ADDS), this.#opened.lastAt(CHECKOUTS));
  }

  get viewedAt(): Instant {
    return this.#opened.lastAt(PRODUCT_VIEWS);
  }

  /** Product views in the day up to the last one. */
  get viewsOfDay(): number {
    const open = this.#opened;
    const span = SPANS['24h'];
    const { present, rings, lastAt } = open.tally(PRODUCT_VIEWS);
    if (!present || span === null) return 0;
    unroll(rings[span.ring], firstSlot(span, lastAt), viewTiles);
    let sum = 0;
    for (let index = 0; index < viewTiles.length; index++) sum += viewTiles.value(index);
    return sum;
  }

  /** Whether the customer ever did what counts in this measure, cancelled since or not. */
  hasEver(measure: number): boolean {
    return this.#opened.tally(measure).present;
  }

  get #opened(): OpenState {
    if (this.#open === null) throw new Error('facts of no customer');
    return this.#open;
  }
}
