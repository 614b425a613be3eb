import type { IdentityStep } from '../../schemas/types.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { strengthOf } from '../core/identity.ts';
import type { Applied, Instant, Outcome, Output } from '../core/processor.ts';
import { erase, eraseStep, isErased } from './erasure.ts';
import { foldEvent, skip } from './fold-event.ts';
import { catchUp, foldHeld, heldFor, mergeHeld, withoutLinks, type HeldRoom } from './held.ts';
import { HISTORY_PART } from './history.ts';
import { HELD_MAX, IDENTITY, NO_BODY, UNLINKED_MAX, type Held, type Identity } from './identity.ts';
import { forward, mergedRecord, passOn, stepTo, transferOf } from './identity-records.ts';
import { keepJourney } from './journey-changes.ts';
import { mergeCustomers } from './merge.ts';
import type { OpenState, Packed } from './open-state.ts';
import { NO_PARTS } from './parts.ts';
import type { Plan } from './plan.ts';
import type { FoldedEvent, FoldedInteraction } from './read-fields.ts';
import { settleLeaving, settleTriggers } from './leaving.ts';
import { settleMerge } from './settle.ts';
import { initialState, type CustomerState } from './state.ts';
import type { CustomerAddition } from './totals.ts';
import { keepTold } from './triggers.ts';
import { countVisits, sumOfVisits, type VisitCounts } from './visit-counts.ts';
import { visitCountsOf } from './visits.ts';
import { unpackTransfer } from './transfer-packing.ts';

/**
 * How many times in a row a step makes another: a `SPLIT` up a chain of anonymous id, hash of an address and user id, and back; an
 * order to erase likewise.
 */
export const IDENTITY_ROUNDS = 3;

/** The customer at hand, its state opened in `open`, and room for what is held of it. */
export interface IdentityTurn extends HeldRoom {
  readonly state: CustomerState;
  readonly open: OpenState;
  readonly plan: Plan;
  readonly now: Instant;
}

/**
 * Everything about links, and every interaction of a customer who has any. The weaker subject leads: links and their end are
 * told to it, and whatever it sends to the stronger one arrives in that order, so neither ever asks about the other.
 */
export function foldIdentity(turn: IdentityTurn, event: FoldedEvent): Outcome<CustomerAddition> {
  const { state, open } = turn;
  open.open(state);
  const identity = open.parts.get(IDENTITY);
  const { kind, identity: step } = event;
  if (kind === 'INTERACTION') return interactionOf(turn, identity, event, null);
  if (kind === 'UNKNOWN') return skip('unknown_type');
  if (step === null) return { kind: 'reject', reason: 'no_identifier', message: `identity is missing for ${kind}` };
  switch (kind) {
    case 'FORWARD':
      return interactionOf(turn, identity, event, step);
    case 'LINK':
      return link(turn, identity, step);
    case 'UNLINK':
      return unlink(turn, identity, step);
    case 'TRANSFER':
      return transfer(turn, identity, step);
    case 'SPLIT':
      return split(turn, identity, step);
    case 'ERASE':
      return erase(turn, identity, step);
  }
}

/** An interaction that came under this subject (`step` null) or under a weaker one. */
function interactionOf(
  turn: IdentityTurn,
  identity: Identity,
  { interaction }: FoldedEvent,
  step: IdentityStep | null,
): Outcome<CustomerAddition> {
  const { state, open, plan, now } = turn;
  if (interaction === null || interaction.type === 'UNKNOWN') return skip('unknown_type');
  if (isErased(identity, interaction.occurredAt)) return skip('erased');
  const { redirect } = identity;
  if (redirect !== null) {
    // Repeats are told here, by the clock that they come by: that of the stronger one may be far ahead.
    if (step === null && isRepeated(turn, interaction)) return skip('duplicate_event');
    return applied([forward(state, redirect, step, now)]);
  }
  if (step === null && identity.forwarded.length > 0 && wasForwarded(turn, identity, interaction)) {
    return skip('duplicate_event');
  }
  // Whoever has unlinked subjects alone holds nothing.
  if (step === null && identity.own === null) return foldEvent(state, interaction, now, open, plan);
  identity.own ??= withoutLinks(state, open);
  const held = step === null ? identity.own : heldFor(identity.held, identity.own, step.subject, step.via);
  const alone = foldHeld(held, state, interaction, now, plan, turn);
  // Each remembers the ids of its own 64 events beside the 64 of all together.
  if (alone.kind === 'reject' || (alone.kind === 'skip' && alone.reason === 'duplicate_event')) {
    return alone.kind === 'reject' ? alone : skip('duplicate_event');
  }
  open.parts.put(IDENTITY, identity);
  state.parts = open.parts.close();
  return foldEvent(state, interaction, now, open, plan);
}

/** Whether it came before under this subject; remembers it. */
function isRepeated({ state, open, now }: IdentityTurn, { eventId }: FoldedInteraction): boolean {
  const id = fingerprint(eventId);
  if (open.ids.has(id, now)) return true;
  open.ids.add(id, now);
  state.body = open.idsAlone();
  return false;
}

/** Whether it came before under this subject, while that was linked. */
function wasForwarded({ theirs, now }: IdentityTurn, { forwarded }: Identity, { eventId }: FoldedInteraction): boolean {
  theirs.open({ body: forwarded, parts: NO_PARTS });
  return theirs.ids.has(fingerprint(eventId), now);
}

/** An event of both said that this subject is the same person as a stronger one. */
function link(turn: IdentityTurn, identity: Identity, step: IdentityStep): Outcome<CustomerAddition> {
  const { state, open, now, plan, theirs } = turn;
  const { subject: stronger } = step;
  const at = step.at ?? now;
  if (strengthOf(stronger) <= strengthOf(state.subject)) return NOT_STRONGER;
  if (isErased(identity, at)) return skip('erased');
  if (identity.redirect === stronger) return applied([]);
  if (identity.redirect !== null || identity.unlinked.includes(stronger)) return skip('identity_conflict');
  const revised = reviseTriggers(turn);
  const own: Packed = identity.own ?? withoutLinks(state, open);
  for (const each of [own, ...identity.held]) catchUp(each, state, now, plan, turn);
  const through = identity.held.map((each) => ({ ...each, via: each.via ?? state.subject }));
  const parts: Held[] = [{ subject: state.subject, via: null, ...own }, ...through];
  const transfers = parts.filter((each) => !isBlank(each)).map((each) => transferOf(state, stronger, each, at, now));
  if (transfers.includes(null)) return skip('identity_conflict');

  open.open(state);
  if (through.length > 0) countVisits(visitCountsOf(open), visitsOf(turn, parts), now, open.ofBrand);
  const left = settleLeaving(turn, 'MERGE');
  const merged = mergedRecord(state, stronger, { split: false, cause: 'EVENT' }, now);
  if (identity.forwarded.length > 0) {
    theirs.open({ body: identity.forwarded, parts: NO_PARTS });
    open.ids.merge(theirs.ids);
  }
  Object.assign(state, initialState(state.key), { at: now, body: open.idsAlone() });
  keepLinks(turn, { ...identity, redirect: stronger, own: null, held: [], forwarded: NO_BODY });
  return followedBy(revised, { ...left, outputs: [...left.outputs, merged, ...transfers] });
}

/** An operator said that the two are not the same person: also for all links to come. */
function unlink(turn: IdentityTurn, identity: Identity, step: IdentityStep): Outcome<CustomerAddition> {
  const { state, now } = turn;
  const { subject: stronger } = step;
  if (strengthOf(stronger) <= strengthOf(state.subject)) return NOT_STRONGER;
  if (isErased(identity, step.at ?? now)) return skip('erased');
  const unlinked = [...identity.unlinked.filter((each) => each !== stronger), stronger].slice(-UNLINKED_MAX);
  const isLinked = identity.redirect === stronger;
  if (!isLinked) {
    keepLinks(turn, { ...identity, unlinked });
    return applied([]);
  }
  const forwarded = state.body;
  state.body = NO_BODY;
  keepLinks(turn, { ...identity, unlinked, redirect: null, forwarded });
  const back = { subject: state.subject, via: null, state: null, at: now };
  const split = stepTo(state, stronger, 'SPLIT', back, now);
  return applied([mergedRecord(state, stronger, { split: true, cause: 'COMMAND' }, now), split]);
}

/** The state of a weaker subject, or the own one that comes back. */
function transfer(turn: IdentityTurn, identity: Identity, step: IdentityStep): Outcome<CustomerAddition> {
  const { state, open, plan, mine, theirs, now } = turn;
  const { subject, via, state: packed } = step;
  if (packed === null) return { kind: 'reject', reason: 'no_identifier', message: 'identity.state is missing' };
  // The other one was not known to be of the person who was erased: it is now.
  if (isErased(identity, step.at ?? now)) {
    return subject === state.subject ? skip('erased') : applied([eraseStep(state, subject, identity.erasedAt, now)]);
  }
  if (identity.redirect !== null) return applied([passOn(state, identity.redirect, 'TRANSFER', step, now)]);
  const from = unpackTransfer(packed);
  const before = { body: state.body, parts: state.parts };
  const revised = reviseTriggers(turn);
  if (subject !== state.subject) {
    identity.own ??= withoutLinks(state, open);
    hold(turn, identity, { subject, via, ...from });
  } else if (identity.own !== null) {
    mergeHeld(identity.own, from, turn);
  }
  theirs.open(from);
  const moved = visitCountsOf(theirs);
  mergeCustomers(open, theirs, plan, now);
  open.parts.put(IDENTITY, identity);
  mine.open(before);
  return followedBy(revised, settleMerge(turn, mine, moved));
}

/** Keeps it apart, with what came of it before; the longest kept beyond the most there may be becomes the customer's own. */
function hold(turn: IdentityTurn, identity: Identity, from: Held): void {
  const known = identity.held.find((each) => each.subject === from.subject);
  if (known !== undefined) mergeHeld(known, from, turn);
  else identity.held.push({ ...from });
  const longest = identity.held.length > HELD_MAX ? identity.held.shift() : undefined;
  if (longest !== undefined && identity.own !== null) mergeHeld(identity.own, longest, turn);
}

/** A weaker subject is linked no more: what came under it, and through it, goes back to where it came from. */
function split(turn: IdentityTurn, identity: Identity, step: IdentityStep): Outcome<CustomerAddition> {
  const { state, open, plan, mine, theirs, now } = turn;
  if (identity.redirect !== null) return applied([passOn(state, identity.redirect, 'SPLIT', step, now)]);
  const { own, held } = identity;
  if (own === null) return applied([]);
  for (const each of [own, ...held]) catchUp(each, state, now, plan, turn);
  const returns: Output[] = [];
  const leaving: Held[] = [];
  const staying: Held[] = [];
  for (const each of held) {
    const isTaken = each.subject === step.subject || each.via === step.subject;
    // To its own subject, which knows where it belongs by now: it may be parted from the one that it came through, too.
    const back = isTaken ? transferOf(state, each.subject, { ...each, via: null }, step.at ?? now, now) : null;
    if (back === null) {
      staying.push(each);
      continue;
    }
    leaving.push(each);
    returns.push(back);
  }
  if (returns.length === 0) return applied([]);
  const moved = visitsOf(turn, leaving).map((count) => -count);

  const before = { body: state.body, parts: state.parts };
  state.body = own.body;
  state.parts = own.parts;
  open.open(state);
  for (const each of staying) {
    theirs.open(each);
    mergeCustomers(open, theirs, plan, now);
  }
  mine.open(before);
  const revised = reviseTriggers({ ...turn, open: mine });
  keepJourney(open.parts, mine.parts);
  if (mine.parts.has(HISTORY_PART)) open.parts.put(HISTORY_PART, mine.parts.get(HISTORY_PART));
  keepTold(open.parts, mine.parts);
  open.parts.put(IDENTITY, { ...identity, held: staying, own: staying.length === 0 ? null : own });
  const settled = settleMerge(turn, mine, moved);
  return followedBy(revised, { ...settled, outputs: [...settled.outputs, ...returns] });
}

/** Visits that each of these has counted, or will have. */
function visitsOf({ theirs }: IdentityTurn, all: readonly Packed[]): VisitCounts {
  return sumOfVisits(
    all.map((each) => {
      theirs.open(each);
      return visitCountsOf(theirs);
    }),
  );
}

const NOT_STRONGER: Outcome<CustomerAddition> = {
  kind: 'reject',
  reason: 'invalid_identifier',
  message: 'identity.subject: not stronger than the subject itself',
};

function applied(outputs: readonly Output[]): Applied<CustomerAddition> {
  return { kind: 'apply', outputs };
}

/** Of a customer last looked at under other definitions, before it becomes another one. */
function reviseTriggers(turn: IdentityTurn): Applied<CustomerAddition> {
  const { state, plan } = turn;
  return state.rules === plan.version || state.rules === 0 ? applied([]) : settleTriggers(turn);
}

function followedBy(
  first: Applied<CustomerAddition>,
  { outputs, contributions = [] }: Applied<CustomerAddition>,
): Applied<CustomerAddition> {
  return {
    kind: 'apply',
    outputs: [...first.outputs, ...outputs],
    contributions: [...(first.contributions ?? []), ...contributions],
  };
}

/** Replaces the customer's links, of a state that has nothing else to change. */
function keepLinks({ state, open }: IdentityTurn, identity: Identity): void {
  open.open(state);
  open.parts.put(IDENTITY, identity);
  open.keepIn(state);
}

function isBlank({ body, parts }: Packed): boolean {
  return body.length === 0 && parts.length === 0;
}
