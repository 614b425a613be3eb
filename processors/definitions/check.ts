import { ConfigurationError } from '../core/errors.ts';
import type { Fault } from '../core/errors.ts';
import { compileDefinitions } from '../customer/brand-rules.ts';
import { loadDefinitions } from './load.ts';

/**
 * The faults of a set of definitions, none when a process could start with it: first those of the files, and once these
 * are sound, those of the rules and models in them.
 */
export async function checkDefinitions(directory: string): Promise<readonly Fault[]> {
  try {
    compileDefinitions(await loadDefinitions(directory));
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
}
