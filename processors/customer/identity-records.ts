import type { CustomerEvent, IdentityMerged, IdentityStep } from '../../schemas/types.ts';
import { subjectKey } from '../core/identity.ts';
import { WholeRecordValue, type Instant, type Output } from '../core/processor.ts';
import type { Held } from './identity.ts';
import type { CustomerState } from './state.ts';
import { packTransfer } from './transfer-packing.ts';

const CUSTOMER_EVENTS = 'customer-events.v1';

/** A state larger than this is neither handed over nor taken back: it must fit into a record of 1 MiB. */
export const TRANSFER_BYTES_MAX = 960 * 1024;

/** A step that another subject of the same brand is to take. */
export function stepTo(
  { brandId }: CustomerState,
  subject: string,
  kind: CustomerEvent['kind'],
  identity: IdentityStep,
  now: Instant,
): Output {
  const value: CustomerEvent = { brandId, subject, kind, interaction: null, identity };
  return { topic: CUSTOMER_EVENTS, key: subjectKey(brandId, subject), value, timestamp: now };
}

/** A step that came to a subject which is linked: for the stronger one. */
export function passOn(
  state: CustomerState,
  redirect: string,
  kind: CustomerEvent['kind'],
  step: IdentityStep,
  now: Instant,
): Output {
  return stepTo(state, redirect, kind, passedOn(step, state.subject), now);
}

/** What an interaction becomes that came under a subject which is linked: itself, whole. */
export function forward(state: CustomerState, redirect: string, step: IdentityStep | null, now: Instant): Output {
  const { brandId, subject } = state;
  const identity = step === null ? { subject, via: null, state: null, at: null } : passedOn(step, subject);
  const value = new WholeRecordValue((record): CustomerEvent => {
    const { interaction } = record as CustomerEvent;
    return { brandId, subject: redirect, kind: 'FORWARD', interaction, identity };
  });
  return { topic: CUSTOMER_EVENTS, key: subjectKey(brandId, redirect), value, timestamp: now };
}

/** A state on its way to another subject because of what was so at `at`; null: it is too large. */
export function transferOf(
  state: CustomerState,
  to: string,
  { subject, via, ...packed }: Held,
  at: Instant,
  now: Instant,
): Output | null {
  const bytes = packTransfer(packed);
  if (bytes.length > TRANSFER_BYTES_MAX) return null;
  return stepTo(state, to, 'TRANSFER', { subject, via, state: bytes, at }, now);
}

/** What others are told of a link or of its end. */
export function mergedRecord(
  { brandId, subject, key }: CustomerState,
  stronger: string,
  { split: isSplit, cause }: Pick<IdentityMerged, 'split' | 'cause'>,
  now: Instant,
): Output {
  const value: IdentityMerged = { brandId, weaker: subject, stronger, split: isSplit, cause, at: now };
  return { topic: 'identity-merges.v1', key, value, timestamp: now };
}

function passedOn(step: IdentityStep, subject: string): IdentityStep {
  return step.subject === subject ? step : { ...step, via: step.via ?? subject };
}
