import type { Interaction } from '../../schemas/types.ts';
import { isJunkIdentifier } from '../core/identity.ts';

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
