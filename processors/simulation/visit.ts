import type { Interaction } from '../../schemas/types.ts';
import type { Instant } from '../core/processor.ts';
import type { Customer } from './population.ts';
import { HOUR_MS, MINUTE_MS } from './rhythm.ts';
import type { Stage } from './stage.ts';

/** A visit in progress: where it stands in time, and what all its events share. */
export interface Visit {
  readonly stage: Stage;
  readonly customer: Customer;
  readonly sessionId: string;
  at: Instant;
}

/** Half of the customers with an account are shown a banner, from one of their visits on. */
const EXPERIMENT_ID = 'free-delivery-banner';
const LONGEST_PAUSE_MS = 4 * MINUTE_MS;

/** Half of the people are to see it; the others are the control. */
export function hasBanner({ index }: Customer): boolean {
  return index % 2 === 0;
}

/** Opens a visit with its first page, and an account for those who want one at once. */
export function startVisit(stage: Stage, customer: Customer, at: Instant): Visit {
  const { random } = customer;
  const visit = { stage, customer, sessionId: `s-${customer.index.toString(36)}-${at.toString(36)}`, at };
  // Under ground there is no connection: what happens is held back until the train is out again.
  if (customer.device === 'APP' && random.chance(0.04)) customer.offlineUntil = at + random.between(0.2, 9) * HOUR_MS;
  if (customer.knownAtOnce && !customer.known) identify(visit);
  look(visit, 'home');
  if (customer.userId !== null && !customer.exposed && random.chance(0.5)) {
    customer.exposed = true;
    const variant = hasBanner(customer) ? 'banner' : 'no-banner';
    step(visit, 'EXPERIMENT_EXPOSED', { experiment: { experimentId: EXPERIMENT_ID, variant } });
  }
  return visit;
}

/** One event of the visit, and the time until the next. */
export function step(visit: Visit, type: Interaction['type'], details: Partial<Interaction> = {}): void {
  const { stage, customer } = visit;
  details.sessionId = visit.sessionId;
  stage.tell(customer, visit.at, customer.device, type, details);
  visit.at += 2000 + Math.min(LONGEST_PAUSE_MS, customer.random.exponential(28_000));
}

/** A page is shown, and often measured for how long. */
export function look(visit: Visit, touchpoint: string): void {
  const { customer } = visit;
  const pageViewId = `p${visit.at.toString(36)}`;
  const seenAt = visit.at;
  step(visit, 'PAGE_VIEW', { touchpoint, pageViewId });
  if (!customer.random.chance(0.25)) return;
  const engagedMs = Math.floor((visit.at - seenAt) * customer.random.between(0.3, 1));
  step(visit, 'PAGE_ENGAGEMENT', { touchpoint, pageViewId, engagedMs });
}

/** Gives the customer's account its name and its attributes; what follows is no longer anonymous. */
export function identify(visit: Visit): void {
  const { customer } = visit;
  customer.known = true;
  step(visit, 'IDENTIFIED', { attributes: { ...customer.attributes } });
}
