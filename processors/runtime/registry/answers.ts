import type { RegisteredSchema } from '../../../schemas/registry.ts';
import { PipelineError } from '../../core/errors.ts';

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
  const { status, message } = failure as { status?: unknown; message?: unknown };
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
