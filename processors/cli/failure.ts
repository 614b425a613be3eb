import { CommanderError } from 'commander';
import { ConfigurationError, PipelineError, type ErrorCode } from '../core/errors.ts';

/** What was asked for cannot be done, for a reason that the message tells whole: no bug, nothing to trace. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** How a command that failed ends: its exit code, what to tell a person, and what to tell a program. */
export interface FailureReport {
  readonly exitCode: 1 | 2;
  readonly lines: readonly string[];
  readonly document: object;
  /** What to do about it, for a broken world. */
  readonly hint?: string;
}

/** What to do about each kind of broken world. */
export const HINTS: Readonly<Record<ErrorCode, string>> = {
  store_unavailable:
    'Check that MongoDB answers at KIZUNA_MONGODB_URI and lets this user read and write: `kizuna config check --connect` tells.',
  store_behind:
    'The database is older than what was committed: restore a newer state of it, or see what `kizuna input accept` finds (deploy/runbooks/store_behind.md).',
  store_unreadable:
    'A newer version wrote this, or something else did: run the newest version, and keep others out of the database.',
  log_unavailable:
    'Check KIZUNA_KAFKA_BROKERS, and that `kizuna topics plan` shows no change; `kizuna config check --connect` tells all that is in the way.',
  input_lost:
    'Records are gone that were not folded yet: find out what deleted them (retention, a topic created anew), then see what `kizuna input accept` finds (deploy/runbooks/input_lost.md).',
  batch_unreadable:
    'Find out who wrote this batch, and take it out of the topic (deploy/runbooks/partition_paused.md).',
  registry_unavailable:
    'Check that the schema registry answers at KIZUNA_SCHEMA_REGISTRY_URL and takes these credentials.',
  schema_incompatible:
    'Readers of the published versions would break: `kizuna schemas check` tells the field; else somebody else registered under this subject.',
  ownership_lost: 'Another process took the partition over: see that there is one deployment of this group only.',
  rebalancing: 'The group did not come to rest: try again, and see what keeps joining and leaving it.',
  mostly_refused:
    'Most likely the producers or this version changed: look at the reasons in the dead letters; without KIZUNA_STOP_WHEN_REFUSED it goes on.',
  invariant_broken: 'This is a bug: please report it with the stack.',
};

const WORLD_OUT_OF_REACH: readonly ErrorCode[] = ['store_unavailable', 'log_unavailable', 'registry_unavailable'];
const REASON_LENGTH_MAX = 300;

export function reportOf(thrown: unknown): FailureReport {
  const error = firstOf(thrown);
  if (error instanceof ConfigurationError) {
    const { faults } = error;
    const lines = faults.map(({ where, message }) => `${where}: ${message}`.replaceAll(/\s+/g, ' '));
    return { exitCode: 2, lines, document: { code: 'configuration', message: 'bad configuration', faults } };
  }
  if (error instanceof CommanderError) {
    // Commander has told a person already.
    const message = error.message.replace(/^error: /, '');
    return { exitCode: 2, lines: [], document: { code: 'usage', message } };
  }
  if (error instanceof PipelineError) {
    const { code, retriable } = error;
    const message = oneLine([error.message, ...unsaidReason(error)].join(': '));
    const hint = HINTS[code];
    const stack = code === 'invariant_broken' && error.stack !== undefined ? [error.stack] : [];
    return {
      exitCode: 1,
      lines: [`${code}: ${message}. ${hint}`, ...stack],
      document: { code, message, retriable, hint },
      hint,
    };
  }
  if (error instanceof CommandFailed) {
    return { exitCode: 1, lines: [error.message], document: { code: 'failed', message: error.message } };
  }
  if (isAboutFile(error)) {
    return { exitCode: 1, lines: [error.message], document: { code: 'file', message: error.message } };
  }
  const known = error instanceof Error ? error : new Error(String(error));
  const stack = known.stack ?? known.message;
  return { exitCode: 1, lines: [stack], document: { code: 'unexpected', message: known.message, stack } };
}

/** The system's own words about a file that the command line named say it all. */
function isAboutFile(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

/** When closing fails after a failure, the first of the two is what went wrong. */
export function firstOf(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstOf(thrown.suppressed) : thrown;
}

/** Why a service was out of reach, when the message does not say it. What a server answered may quote data: left out. */
function unsaidReason(error: PipelineError): string[] {
  if (!WORLD_OUT_OF_REACH.includes(error.code)) return [];
  let reason = '';
  for (let { cause } = error as Error; cause instanceof Error; { cause } = cause) {
    if ('code' in cause && typeof cause.code === 'number') return [];
    reason = cause.message || reason;
  }
  return reason === '' || error.message.includes(reason) ? [] : [reason];
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replace(/\.$/, '');
  return line.length > REASON_LENGTH_MAX ? `${line.slice(0, REASON_LENGTH_MAX)}…` : line;
}
