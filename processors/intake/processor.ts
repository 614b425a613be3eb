import type { Command, Interaction } from '../../schemas/types.ts';
import type { Definitions } from '../core/definitions.ts';
import type { Instant, Outcome, Rejected, Skipped, StatelessProcessor } from '../core/processor.ts';
import { AHEAD_MS } from './ahead.ts';
import { onCommand } from './commands.ts';
import { CUSTOMER_EVENTS, customerEvent, linkOutputs } from './customer-events.ts';
import { refusal } from './refusal.ts';
import { sentimentReader, type SentimentReader } from '../sentiment/sentiment.ts';
import { chooseSubject } from './subject.ts';
import { TOUCHPOINT_EVENTS, touchpointOutputs } from './touchpoint-events.ts';
import { refuseSize } from './validate-fields.ts';
import { refuseIdentity } from './validate-identity.ts';
import { refuseOrder } from './validate-order.ts';
import { scoreCheck } from './validate-score.ts';

const COMMANDS = 'commands.v1';

const NO_IDENTIFIER = refusal('no_identifier', 'userId, emailHash, anonymousId: all absent or junk');
const FUTURE_TIMESTAMP = refusal('future_timestamp', 'occurredAt: more than 5 minutes after the record');
const UNKNOWN_TYPE: Skipped = { kind: 'skip', reason: 'unknown_type' };

/** A hash is the same in either case; the record that travels on carries the one the subject is made of. */
function normalise(interaction: Interaction): Interaction {
  const emailHash = interaction.emailHash?.toLowerCase() ?? null;
  return emailHash === interaction.emailHash ? interaction : { ...interaction, emailHash };
}

/** Validates, normalises and re-keys one interaction; `now` is the record's timestamp. The order of the checks is public. */
function onInteraction(
  interaction: Interaction,
  now: Instant,
  refuseScore: (interaction: Interaction) => Rejected | null,
  readSentiment: SentimentReader,
): Outcome {
  const invalid = refuseIdentity(interaction);
  if (invalid !== null) return invalid;
  const subject = chooseSubject(interaction);
  if (subject === null) return NO_IDENTIFIER;
  if (interaction.occurredAt > now + AHEAD_MS) return FUTURE_TIMESTAMP;
  const refused = refuseOrder(interaction) ?? refuseScore(interaction) ?? refuseSize(interaction);
  if (refused !== null) return refused;
  if (interaction.type === 'UNKNOWN') return UNKNOWN_TYPE;
  const { brandId } = interaction;
  const payload = { interaction: normalise(interaction), identity: null };
  const output = customerEvent(brandId, subject, 'INTERACTION', payload, now);
  const outputs = [
    output,
    ...touchpointOutputs(interaction, subject, now, readSentiment),
    ...linkOutputs(interaction, subject, now),
  ];
  return { kind: 'apply', outputs };
}

/** The door of the pipeline: every record of the brands' systems gets exactly one outcome here. Keeps no state. */
export function createIntake(definitions: Definitions): StatelessProcessor<Interaction | Command> {
  const refuseScore = scoreCheck(definitions);
  const readSentiment = sentimentReader(definitions);
  return {
    kind: 'stateless',
    name: 'intake',
    version: 1,
    inputs: ['interactions.v1', COMMANDS],
    outputs: [CUSTOMER_EVENTS, TOUCHPOINT_EVENTS],
    occurredAt: (record) => (isCommand(record) ? record.issuedAt : record.occurredAt),
    onRecord: (record, now) =>
      isCommand(record) ? onCommand(record, now) : onInteraction(record, now, refuseScore, readSentiment),
  };
}

/** The two inputs have one schema each, and only a command has such an id. */
function isCommand(record: Interaction | Command): record is Command {
  return 'commandId' in record;
}
