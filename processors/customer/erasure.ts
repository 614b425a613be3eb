import type { IdentityStep } from '../../schemas/types.ts';
import { strengthOf } from '../core/identity.ts';
import type { Applied, Instant, Output } from '../core/processor.ts';
import { IDENTITY, type Identity } from './identity.ts';
import { stepTo } from './identity-records.ts';
import { settleLeaving } from './leaving.ts';
import type { AtHand } from './turn.ts';
import { initialState, type CustomerState } from './state.ts';
import type { CustomerAddition } from './totals.ts';

/**
 * Everything of a customer goes: out of its segments and bands, the brand's documents and experiments, the compacted topics and
 * its own document, of which nothing stays but when it was erased. That is what refuses whatever tells again of the time before.
 *
 * The order goes up from a linked identifier to the stronger one, and from there down to all whose part is held. Each compares
 * when it was given with its own erasure, so an order that comes twice, or round about, changes nothing.
 */
export function erase(turn: AtHand, identity: Identity, step: IdentityStep): Applied<CustomerAddition> {
  const { state, open, now } = turn;
  const { redirect, held } = identity;
  const at = step.at ?? now;
  const isFromAbove = strengthOf(step.subject) > strengthOf(state.subject);
  if (isErased(identity, at) || (isFromAbove && !mayLeadTo(redirect, step.subject))) {
    return { kind: 'apply', outputs: [] };
  }
  const left = settleLeaving(turn, 'ERASURE');
  const others = new Set<string>();
  if (redirect !== null && !isFromAbove) others.add(redirect);
  for (const each of held) {
    others.add(each.subject);
    if (each.via !== null) others.add(each.via);
  }
  const orders = [...others].map((subject) => eraseStep(state, subject, at, now));
  Object.assign(state, initialState(state.key), { at: now });
  open.open(state);
  open.parts.put(IDENTITY, { ...IDENTITY.initial(), erasedAt: Math.max(now, at) });
  open.keepIn(state);
  return { ...left, outputs: [...left.outputs, ...tombstones(state, left.outputs, now), ...orders] };
}

/** Whether what is of `at` was erased. */
export function isErased({ erasedAt }: Identity, at: Instant): boolean {
  return at <= erasedAt;
}

/** The order, for another identifier of the same person. */
export function eraseStep(state: CustomerState, subject: string, at: Instant, now: Instant): Output {
  return stepTo(state, subject, 'ERASE', { subject: state.subject, via: null, state: null, at }, now);
}

/** Whether a subject that is linked to `redirect` may be one of `stronger`, straight or through another. */
function mayLeadTo(redirect: string | null, stronger: string): boolean {
  return redirect === stronger || (redirect !== null && strengthOf(redirect) < strengthOf(stronger));
}

/** For each compacted topic that has the customer's key, whatever this document knows of having published. */
function tombstones({ key, subject }: CustomerState, published: readonly (Output | null)[], now: Instant): Output[] {
  const topics = ['churn-risk.v1', 'customer-traits.v1'];
  if (!subject.startsWith('u:')) topics.push('identity-merges.v1');
  return topics
    .filter((topic) => !published.some((output) => output?.topic === topic))
    .map((topic) => ({ topic, key, value: null, timestamp: now }));
}
