import type { CustomerEvent, Interaction } from '../../schemas/types.ts';
import type { Definitions } from '../core/definitions.ts';
import { subjectKey } from '../core/identity.ts';
import type { Instant, Outcome, Skipped, StatelessProcessor } from '../core/processor.ts';
import { refusal } from './refusal.ts';
import { chooseSubject } from './subject.ts';
import { refuseSize } from './validate-fields.ts';
import { refuseIdentity } from './validate-identity.ts';
import { refuseOrder } from './validate-order.ts';
import { refuseScore } from './validate-score.ts';

const OUTPUT_TOPIC = 'customer-events.v1';

/** Clocks of devices differ; further ahead of the record's own time than this is an error. */
const AHEAD_MS = 5 * 60 * 1000;

const NO_IDENTIFIER = refusal('no_identifier', 'userId, emailHash, anonymousId: all absent or junk');
const FUTURE_TIMESTAMP = refusal('future_timestamp', 'occurredAt: more than 5 minutes after the record');
const UNKNOWN_TYPE: Skipped = { kind: 'skip', reason: 'unknown_type' };

/** A hash is the same in either case; the record that travels on carries the one the subject is made of. */
function normalise(interaction: Interaction): Interaction {
  const emailHash = interaction.emailHash?.toLowerCase() ?? null;
  return emailHash === interaction.emailHash ? interaction : { ...interaction, emailHash };
}

/** Validates, normalises and re-keys one interaction; `now` is the record's timestamp. The order of the checks is public. */
function onInteraction(interaction: Interaction, now: Instant): Outcome {
  const invalid = refuseIdentity(interaction);
  if (invalid !== null) return invalid;
  const subject = chooseSubject(interaction);
  if (subject === null) return NO_IDENTIFIER;
  if (interaction.occurredAt > now + AHEAD_MS) return FUTURE_TIMESTAMP;
  const refused = refuseOrder(interaction) ?? refuseScore(interaction) ?? refuseSize(interaction);
  if (refused !== null) return refused;
  if (interaction.type === 'UNKNOWN') return UNKNOWN_TYPE;
  const value: CustomerEvent = {
    brandId: interaction.brandId,
    subject,
    kind: 'INTERACTION',
    interaction: normalise(interaction),
  };
  const output = { topic: OUTPUT_TOPIC, key: subjectKey(interaction.brandId, subject), value, timestamp: now };
  return { kind: 'apply', outputs: [output] };
}

/**
 * The door of the pipeline: every record of the brands' systems gets exactly one outcome here. Keeps no state, and takes
 * the definitions as every processor does, though no rule of today depends on them.
 */
export function createIntake(_definitions: Definitions): StatelessProcessor<Interaction> {
  return {
    kind: 'stateless',
    name: 'intake',
    version: 1,
    inputs: ['interactions.v1'],
    outputs: [OUTPUT_TOPIC],
    occurredAt: ({ occurredAt }) => occurredAt,
    onRecord: onInteraction,
  };
}
