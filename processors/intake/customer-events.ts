import type { CustomerEvent, IdentityStep, Interaction } from '../../schemas/types.ts';
import { subjectKey } from '../core/identity.ts';
import type { Instant, Output } from '../core/processor.ts';
import { weakerSubjects } from './subject.ts';

export const CUSTOMER_EVENTS = 'customer-events.v1';

/** A record for a customer, keyed by it. */
export function customerEvent(
  brandId: string,
  subject: string,
  kind: CustomerEvent['kind'],
  payload: Pick<CustomerEvent, 'interaction' | 'identity'>,
  now: Instant,
): Output {
  const value: CustomerEvent = { brandId, subject, kind, ...payload };
  return { topic: CUSTOMER_EVENTS, key: subjectKey(brandId, subject), value, timestamp: now };
}

/** What a step says that needs no more than the other subject, and when that was so. */
export function identityStep(subject: string, at: Instant | null): IdentityStep {
  return { subject, via: null, state: null, at };
}

/** To each weaker subject that an interaction names: that it is the same person. Said once, for it stays so. */
export function linkOutputs(interaction: Interaction, subject: string, now: Instant): Output[] {
  const { brandId } = interaction;
  return weakerSubjects(interaction, subject).map((weaker) => {
    const payload = { interaction: null, identity: identityStep(subject, interaction.occurredAt) };
    return { ...customerEvent(brandId, weaker, 'LINK', payload, now), once: `${brandId}|${weaker}|${subject}` };
  });
}
