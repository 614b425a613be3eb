import kafkajs from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import { refusalOf, type Refusable } from './kafka-refusals.ts';

/** What kafkajs puts on its errors; everything is optional, since any error may come by. */
interface KafkaErrorShape extends Refusable {
  readonly cause?: unknown;
}

/** Answers that stay the same however often one asks. */
const FINAL_TYPES: ReadonlySet<string> = new Set([
  'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_CONFIG',
  'INVALID_GROUP_ID',
  'INVALID_PARTITIONS',
  'INVALID_RECORD',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_REQUEST',
  'INVALID_SESSION_TIMEOUT',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'MESSAGE_TOO_LARGE',
  'OFFSET_METADATA_TOO_LARGE',
  'POLICY_VIOLATION',
  'RECORD_LIST_TOO_LARGE',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_VERSION',
]);
const FINAL_NAMES: ReadonlySet<string> = new Set(['KafkaJSNotImplemented', 'KafkaJSServerDoesNotSupportApiKey']);
/** The coordinator says that this member's generation is over. */
const GROUP_TYPES: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
]);

/** A coordinator that has only just started, or just moved, answers so for a moment. */
const COORDINATOR_TYPES: ReadonlySet<string> = new Set([
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/** The error and everything that caused it, outermost first; cut off at ten, should causes go round in a circle. */
function chain(error: unknown): KafkaErrorShape[] {
  const links: KafkaErrorShape[] = [];
  for (let link = error; typeof link === 'object' && link !== null && links.length < 10;) {
    const shape: KafkaErrorShape = link;
    links.push(shape);
    link = shape.cause;
  }
  return links;
}

/** The broker's error code by name, wherever in the chain it stands. */
export function brokerErrorType(error: unknown): string | undefined {
  return chain(error).find((link) => typeof link.type === 'string')?.type;
}

/** True when the member must join again: its partitions are no longer its own. */
export function isGroupError(error: unknown): boolean {
  return chain(error).some((link) => GROUP_TYPES.has(link.type ?? ''));
}

/** True when the group's coordinator only has to get ready. */
export function isCoordinatorError(error: unknown): boolean {
  return chain(error).some((link) => COORDINATOR_TYPES.has(link.type ?? ''));
}

/** Classifies whatever kafkajs threw. `action` begins the message: `send records`. */
export function toPipelineError(action: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  const links = chain(error);
  const type = brokerErrorType(error);
  const refusal = refusalOf(links);
  const message = `could not ${action}: ${refusal?.reason ?? type ?? links[0]?.message ?? String(error)}`;
  if (isGroupError(error)) return new PipelineError('rebalancing', message, { retriable: true, cause: error });
  if (error instanceof TypeError || error instanceof RangeError) {
    return new PipelineError('invariant_broken', message, { retriable: false, cause: error });
  }
  const isFinal =
    refusal?.isFinal === true ||
    links.some((link) => FINAL_TYPES.has(link.type ?? '') || FINAL_NAMES.has(link.name ?? ''));
  return new PipelineError('log_unavailable', message, { retriable: !isFinal, cause: error });
}

/** The error by which kafkajs joins its group again; of what a broker answers it reads the type alone. */
export function rebalanceInProgress(): Error {
  const message = 'the generation is over, and the group was not joined again';
  const answer = Object.assign(new Error(message), { type: 'REBALANCE_IN_PROGRESS', code: 27 });
  return new kafkajs.KafkaJSProtocolError(answer);
}
