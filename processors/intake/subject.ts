import type { Interaction } from '../../schemas/types.ts';
import { isJunkIdentifier, strengthOf } from '../core/identity.ts';
import { isIdentifier } from './validate-identity.ts';

function present(identifier: string | null): identifier is string {
  return identifier !== null && !isJunkIdentifier(identifier);
}

/**
 * The subject a valid interaction belongs to, or null when every identifier is absent or junk: the strongest of `u:` user id,
 * `e:` e-mail hash, `a:` anonymous id. Identifiers keep their bytes, letter case and white space included, for they are the
 * brand's names; only the hash, whose case means nothing, is written in lower case.
 */
export function chooseSubject(interaction: Interaction): string | null {
  if (present(interaction.userId)) return `u:${interaction.userId}`;
  if (present(interaction.emailHash)) return `e:${interaction.emailHash.toLowerCase()}`;
  if (present(interaction.anonymousId)) return `a:${interaction.anonymousId}`;
  return null;
}

/** The subjects that a valid interaction names beside its own, the stronger one first. */
export function weakerSubjects(interaction: Interaction, subject: string): readonly string[] {
  const { emailHash, anonymousId } = interaction;
  // Most interactions name one.
  if (emailHash === null && anonymousId === null) return NONE;
  const weaker: string[] = [];
  if (subject.startsWith('u:') && present(emailHash)) weaker.push(`e:${emailHash.toLowerCase()}`);
  if (!subject.startsWith('a:') && present(anonymousId)) weaker.push(`a:${anonymousId}`);
  return weaker;
}

const NONE: readonly string[] = [];

/** Whether a text is a subject that an interaction could belong to. */
export function isSubject(text: string): boolean {
  const identifier = text.slice(2);
  if (strengthOf(text) === 0 || isJunkIdentifier(identifier)) return false;
  return text.startsWith('e:') ? /^[0-9a-f]{64}$/.test(identifier) : isIdentifier(identifier);
}
