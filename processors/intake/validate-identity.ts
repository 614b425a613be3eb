import type { Interaction } from '../../schemas/types.ts';
import { isJunkIdentifier } from '../core/identity.ts';
import type { Rejected } from '../core/processor.ts';
import { fitsUtf8, hasUnsafeCharacter } from '../core/text.ts';
import { refusal } from './refusal.ts';

export const BRAND = /^[a-z0-9-]{1,64}$/;
const SHA_256 = /^[0-9a-f]{64}$/i;
const EVENT_ID_BYTES = 128;
const IDENTIFIER_BYTES = 256;

const INVALID_BRAND = refusal('invalid_brand', 'brandId: not 1 to 64 of a-z, 0-9 and hyphen');
const NO_EVENT_ID = refusal('invalid_event_id', 'eventId: empty');
const LONG_EVENT_ID = refusal('invalid_event_id', `eventId: over ${EVENT_ID_BYTES} bytes`);
const NOT_A_HASH = refusal('invalid_identifier', 'emailHash: not 64 hexadecimal digits');

type IdentifierField = 'userId' | 'emailHash' | 'anonymousId';
type Refusals = Readonly<Record<IdentifierField, Rejected>>;

function forEachIdentifier(message: string): Refusals {
  const refused = (field: IdentifierField) => refusal('invalid_identifier', `${field}: ${message}`);
  return { userId: refused('userId'), emailHash: refused('emailHash'), anonymousId: refused('anonymousId') };
}
const LONG_IDENTIFIER = forEachIdentifier(`over ${IDENTIFIER_BYTES} bytes`);
const UNSAFE_IDENTIFIER = forEachIdentifier('a control character or half of a surrogate pair');

/** Whether a text may be a user id or an anonymous id. */
export function isIdentifier(value: string): boolean {
  return fitsUtf8(value, IDENTIFIER_BYTES) && !hasUnsafeCharacter(value);
}

function refuseIdentifier(value: string | null, field: IdentifierField): Rejected | null {
  if (value === null) return null;
  if (!fitsUtf8(value, IDENTIFIER_BYTES)) return LONG_IDENTIFIER[field];
  if (hasUnsafeCharacter(value)) return UNSAFE_IDENTIFIER[field];
  return null;
}

/**
 * What speaks against the brand, the event id and the identifiers, in that order: `invalid_brand`, `invalid_event_id`,
 * `invalid_identifier`. One invalid identifier refuses the record even when another would do, for a source that sends
 * broken identifiers is to be mended, not guessed at. A junk e-mail hash is absent, not invalid (core/identity.ts).
 */
export function refuseIdentity(interaction: Interaction): Rejected | null {
  if (!BRAND.test(interaction.brandId)) return INVALID_BRAND;
  const { eventId, emailHash } = interaction;
  if (eventId.length === 0) return NO_EVENT_ID;
  if (!fitsUtf8(eventId, EVENT_ID_BYTES)) return LONG_EVENT_ID;
  const refused =
    refuseIdentifier(interaction.userId, 'userId') ??
    refuseIdentifier(emailHash, 'emailHash') ??
    refuseIdentifier(interaction.anonymousId, 'anonymousId');
  if (refused !== null) return refused;
  return emailHash === null || SHA_256.test(emailHash) || isJunkIdentifier(emailHash) ? null : NOT_A_HASH;
}
