import type { RegisteredSchema } from '../../../schemas/registry.ts';
import { PipelineError } from '../../core/errors.ts';

/** Codes by which Node refuses a server's certificate, and what the client library, which drops the code, says then. */
const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_(?!NOT_YET)|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)/;
const UNTRUSTED_BY_CLIENT = /unable to (?:verify|get) |self[- ]signed certificate|altnames/;

/** The registry answered something that a registry does not: a proxy's page, another service, a wrong address. */
export function unexpected(what: string): PipelineError {
  return new PipelineError('registry_unavailable', `the schema registry gave an unexpected answer: ${what}`, {
    retriable: true,
  });
}

/**
 * What a failed request means. The client library reports a refused connection as status 400, so only the statuses by which a
 * registry refuses a schema (409, 422) or the credentials (401, 403) are believed; everything else may pass by waiting.
 */
export function failureOf(failure: unknown): PipelineError {
  const { status, message, code } = failure as { status?: unknown; message?: unknown; code?: unknown };
  const cause = failure instanceof Error ? failure : undefined;
  const said = typeof message === 'string' ? message : 'no answer';
  if (status === 409 || status === 422) {
    return new PipelineError('schema_incompatible', `the registry refuses the schema: ${said}`, {
      retriable: false,
      cause,
    });
  }
  if (status === 401 || status === 403) {
    const login = 'KIZUNA_SCHEMA_REGISTRY_USERNAME and KIZUNA_SCHEMA_REGISTRY_PASSWORD';
    return new PipelineError(
      'registry_unavailable',
      `the schema registry refuses the credentials (${login}): ${said}`,
      {
        retriable: false,
        cause,
      },
    );
  }
  if (UNTRUSTED.test(String(code)) || (status === 400 && UNTRUSTED_BY_CLIENT.test(said))) {
    const message = `the certificate of the schema registry is not to be trusted (KIZUNA_SCHEMA_REGISTRY_SSL_CA): ${said}`;
    return new PipelineError('registry_unavailable', message, { retriable: false, cause });
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO') {
    const message = `the schema registry does not speak TLS at this address (KIZUNA_SCHEMA_REGISTRY_URL): ${said}`;
    return new PipelineError('registry_unavailable', message, { retriable: false, cause });
  }
  return new PipelineError('registry_unavailable', `the schema registry did not answer: ${said}`, {
    retriable: true,
    cause,
  });
}

/** Id and version from the answer about one version of a subject; null stands for 404. */
export function placeIn(answer: unknown): RegisteredSchema | null {
  if (answer === null) return null;
  const { id, version } = answer as { id?: unknown; version?: unknown };
  if (typeof id !== 'number' || typeof version !== 'number') throw unexpected('no id or version');
  return { id, version };
}
