import type { Command } from '../../schemas/types.ts';
import type { Instant, Outcome, Output, Rejected, Skipped } from '../core/processor.ts';
import { strengthOf } from '../core/identity.ts';
import { fitsUtf8 } from '../core/text.ts';
import { placeOfCase, splitTouchpointKey, touchpointKey, touchpointName } from '../core/touchpoint-key.ts';
import { AHEAD_MS } from './ahead.ts';
import { customerEvent, identityStep } from './customer-events.ts';
import { refusal } from './refusal.ts';
import { TOUCHPOINT_EVENTS, touchpointEvent } from './touchpoint-events.ts';
import { isSubject } from './subject.ts';
import { BRAND } from './validate-identity.ts';

const ID_BYTES = 128;
const STRING_BYTES = 256;
/** A touchpoint whose every byte is escaped, a subject, a number. */
const TARGET_BYTES = 2_048;

const INVALID_BRAND = refusal('invalid_brand', 'brandId: not 1 to 64 of a-z, 0-9 and hyphen');
const NO_COMMAND_ID = refusal('invalid_event_id', `commandId: empty or over ${ID_BYTES} bytes`);
const NO_TARGET = refusal('no_identifier', 'target: the case is missing');
const NOT_A_CASE = refusal('invalid_identifier', 'target: not a case, which is touchpoint|subject|number');
const OTHER_SUBJECT = refusal('invalid_identifier', 'subject: not the customer of the case');
const NO_SUBJECTS = refusal('no_identifier', 'subject, target: the stronger or the weaker subject is missing');
const NOT_SUBJECTS = refusal('invalid_identifier', 'subject, target: not u:, e: or a: and an identifier');
const NO_SUBJECT = refusal('no_identifier', 'subject: missing');
const NOT_A_SUBJECT = refusal('invalid_identifier', 'subject: not u:, e: or a: and an identifier');
const LONG_TOUCHPOINT = refusal('invalid_identifier', `target: not a touchpoint, over ${STRING_BYTES} bytes`);
const NOT_WEAKER = refusal('invalid_identifier', 'target: not weaker than subject, so they were never linked');
const FUTURE_TIMESTAMP = refusal('future_timestamp', 'issuedAt: more than 5 minutes after the record');
const LONG_ISSUER = refusal('field_too_long', `issuedBy: over ${STRING_BYTES} bytes`);
const LONG_REASON = refusal('field_too_long', `reason: over ${STRING_BYTES} bytes`);
const UNKNOWN_KIND: Skipped = { kind: 'skip', reason: 'unknown_type' };

/** Validates one command and hands it to whoever carries it out; in the order of the reasons, as interactions are. */
export function onCommand(command: Command, now: Instant): Outcome {
  const { brandId, commandId, issuedAt, issuedBy, reason } = command;
  if (!BRAND.test(brandId)) return INVALID_BRAND;
  if (commandId.length === 0 || !fitsUtf8(commandId, ID_BYTES)) return NO_COMMAND_ID;
  const order = orderOf(command, now);
  if (order !== null && 'kind' in order) return order;
  if (issuedAt > now + AHEAD_MS) return FUTURE_TIMESTAMP;
  if (!fitsUtf8(issuedBy, STRING_BYTES)) return LONG_ISSUER;
  if (reason !== null && !fitsUtf8(reason, STRING_BYTES)) return LONG_REASON;
  return order === null ? UNKNOWN_KIND : { kind: 'apply', outputs: [order] };
}

/** What whoever carries a command out is told; null: nobody does in this version. */
function orderOf(command: Command, now: Instant): Output | Rejected | null {
  switch (command.kind) {
    case 'CASE_ACKNOWLEDGE':
    case 'CASE_RESOLVE':
      return caseOrder(command, command.kind, now);
    case 'UNLINK':
      return unlinkOrder(command, now);
    case 'ERASE':
      return eraseOrder(command, now);
    case 'UNKNOWN':
      return null;
  }
}

/** To the weaker subject, through which everything goes that concerns the link. */
function unlinkOrder({ brandId, subject, target, issuedAt }: Command, now: Instant): Output | Rejected {
  if (subject === null || subject === '' || target === null || target === '') return NO_SUBJECTS;
  if (!isSubject(subject) || !isSubject(target)) return NOT_SUBJECTS;
  if (strengthOf(target) >= strengthOf(subject)) return NOT_WEAKER;
  return customerEvent(
    brandId,
    target,
    'UNLINK',
    { interaction: null, identity: identityStep(subject, issuedAt) },
    now,
  );
}

/** To the customer; with a target, to the customer's case at that touchpoint, of which the customer's document knows nothing. */
function eraseOrder(command: Command, now: Instant): Output | Rejected {
  const { brandId, commandId, issuedAt, issuedBy, subject, target } = command;
  if (subject === null || subject === '') return NO_SUBJECT;
  if (!isSubject(subject)) return NOT_A_SUBJECT;
  if (target === null) {
    return customerEvent(
      brandId,
      subject,
      'ERASE',
      { interaction: null, identity: identityStep(subject, issuedAt) },
      now,
    );
  }
  if (!fitsUtf8(target, STRING_BYTES)) return LONG_TOUCHPOINT;
  const touchpoint = touchpointName(target);
  const value = touchpointEvent({
    ...{ brandId, touchpoint, channel: 'UNKNOWN', subject, kind: 'ERASE' },
    ...{ eventId: commandId, occurredAt: issuedAt, issuedBy },
  });
  return { topic: TOUCHPOINT_EVENTS, key: touchpointKey(brandId, touchpoint, subject), value, timestamp: now };
}

function caseOrder(command: Command, kind: 'CASE_ACKNOWLEDGE' | 'CASE_RESOLVE', now: Instant): Output | Rejected {
  const { brandId, commandId, issuedAt, issuedBy, subject, target, reason } = command;
  const place = placeFor(brandId, subject, target);
  if ('reason' in place) return place;
  const value = touchpointEvent({
    brandId,
    touchpoint: splitTouchpointKey(place.key).touchpoint,
    channel: 'UNKNOWN',
    subject: place.subject,
    kind,
    eventId: commandId,
    occurredAt: issuedAt,
    caseId: target,
    issuedBy,
    reason,
  });
  return { topic: TOUCHPOINT_EVENTS, key: place.key, value, timestamp: now };
}

function placeFor(
  brandId: string,
  subject: string | null,
  target: string | null,
): { readonly key: string; readonly subject: string } | Rejected {
  if (target === null || target === '') return NO_TARGET;
  if (!fitsUtf8(target, TARGET_BYTES)) return NOT_A_CASE;
  const place = placeOfCase(brandId, target);
  if (place === null) return NOT_A_CASE;
  return subject === null || subject === place.subject ? place : OTHER_SUBJECT;
}
