import {
  BSON,
  MongoAPIError,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoTopologyClosedError,
} from 'mongodb';
import { PipelineError } from '../../core/errors.ts';

const DUPLICATE_KEY = 11_000;

/** Unauthorized, AuthenticationFailed: waiting does not mend a missing role or a wrong password. */
const UNAUTHORIZED = 13;
const AUTHENTICATION_FAILED = 18;

/** Codes by which Node refuses a server's certificate. */
const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)/;
const CAUSES_MAX = 10;

/** BadValue, FailedToParse, TypeMismatch, BSONObjectTooLarge and the like: we asked for something that never works. */
const MALFORMED = new Set([2, 9, 14, 52, 10_334, 17_419, 17_420]);

/** Our own `close` came first. */
const CLOSED = [MongoClientClosedError, MongoNotConnectedError, MongoTopologyClosedError];

/** What a driver error means to the runtime; the error itself is kept as the cause. `during` completes the sentence. */
export function toPipelineError(error: unknown, during: string): PipelineError {
  if (error instanceof PipelineError) return error;
  if (error instanceof BSON.BSONError) {
    return new PipelineError('store_unreadable', `cannot decode what MongoDB holds: ${during}`, {
      retriable: false,
      cause: error,
    });
  }
  const refusal = refusalOf(error);
  if (refusal !== null) {
    return new PipelineError('store_unavailable', `${refusal}: ${during}`, { retriable: false, cause: error });
  }
  if (CLOSED.some((closed) => error instanceof closed)) {
    return new PipelineError('store_unavailable', `the store is closed: ${during}`, { retriable: false, cause: error });
  }
  if (isOurFault(error)) {
    return new PipelineError('invariant_broken', `MongoDB or its driver refuses the request: ${during}`, {
      retriable: false,
      cause: error,
    });
  }
  // Network, timeout, election, write concern, shutdown: all pass.
  return new PipelineError('store_unavailable', `MongoDB did not answer: ${during}`, { retriable: true, cause: error });
}

/** Why MongoDB lets this process not in, or not do something, with what has the key to it; null for any other trouble. */
function refusalOf(error: unknown): string | null {
  if (error instanceof MongoServerError && Number(error.code) === AUTHENTICATION_FAILED) {
    return 'MongoDB refuses the login (user, password and authSource in KIZUNA_MONGODB_URI)';
  }
  if (error instanceof MongoServerError && Number(error.code) === UNAUTHORIZED) {
    // The message quotes the whole command, keys and values included: only what was tried on what is told.
    const [, database = '', command = '', collection = ''] =
      /^not authorized on (\S+) to execute command \{ (\w+): "?([\w.-]*)/.exec(error.message) ?? [];
    const what = command === '' ? 'something' : `${command} on ${database}.${collection}`;
    return `MongoDB does not allow this user to ${what}, a role is missing`;
  }
  for (let link = error, depth = 0; link instanceof Error && depth < CAUSES_MAX; link = link.cause, depth++) {
    if ('code' in link && typeof link.code === 'string' && UNTRUSTED.test(link.code)) {
      return `the certificate of MongoDB is not to be trusted (tlsCAFile in KIZUNA_MONGODB_URI), ${link.code}`;
    }
  }
  return null;
}

function isOurFault(error: unknown): boolean {
  if (error instanceof MongoServerError) return MALFORMED.has(Number(error.code));
  // A server that left the replica set while we used it; another one answers.
  if (error instanceof MongoServerClosedError) return false;
  return error instanceof MongoAPIError || !(error instanceof MongoError);
}

export function isDuplicateKey(error: { readonly code?: unknown }): boolean {
  return error.code === DUPLICATE_KEY;
}

/**
 * For a bulk of upserts that do not find what they must not touch: their insert fails then, which is an answer. Anything else
 * that went wrong, a majority that did not answer included, is none and is thrown.
 */
export function throwUnlessTaken(error: unknown): 'taken' {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) throw error;
  const refusals = error.result.getWriteErrors();
  if (refusals.length === 0 || !refusals.every(isDuplicateKey)) throw error;
  return 'taken';
}

/** What may be logged of a failure: a server's message can quote keys and values, a driver's names addresses only. */
export function loggable(error: unknown): { code: string; reason: string } {
  const failure = toPipelineError(error, '');
  const cause = failure.cause;
  if (!(cause instanceof Error)) return { code: failure.code, reason: failure.message };
  const quotes = cause instanceof MongoServerError && cause.code !== undefined;
  return { code: failure.code, reason: quotes ? `${cause.name} ${cause.code}` : cause.message };
}

/** A stored document or block whose fields are not what this version writes. Names no key: keys are personal data. */
export function unreadable(collection: string, field: string): PipelineError {
  return new PipelineError('store_unreadable', `${collection} holds a document whose field ${field} cannot be read`, {
    retriable: false,
  });
}
